"""What every answer is wrapped in, and what refusals are called there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from registry import outcomes
from registry.errors import (
    InvalidIdentifier,
    InvalidValue,
    ItemFault,
    NotConforming,
    Refusal,
    TemplateExists,
    TemplateNotFound,
    TooManyAttempts,
)
from registry.outcomes import Outcome

DONE, NOT_LOGGED_IN, FAILED, NOT_PERMITTED, BROKEN = 1, -1, -2, -3, -4
SUCCESS: Final = "success"


class Envelope(msgspec.Struct):
    """`status` 1 is success; -1 not logged in, -2 refused, -3 no permission, -4 internal."""

    message: str
    status: int
    data: Any = None


#: By outcome: the status and the words, where it is not FAILED with what the refusal itself says.
_WORDS: Final[Mapping[Outcome, tuple[int, str]]] = {
    outcomes.AUTHENTICATION_NEEDED: (NOT_LOGGED_IN, "没有登录，需要验证"),
    outcomes.AUTHENTICATION_FAILED: (FAILED, "用户名/密码错误！"),
    outcomes.NOT_PERMITTED: (NOT_PERMITTED, "没有权限"),
    outcomes.NOT_FOUND: (FAILED, "没有找到标识"),
    outcomes.GONE: (FAILED, "标识已注销"),
    outcomes.ON_HOLD: (FAILED, "标识已暂停解析"),
    outcomes.STATE_CONFLICT: (FAILED, "当前状态不允许此操作"),
    outcomes.ALREADY_EXISTS: (FAILED, "标识已存在"),
    outcomes.NOT_RESPONSIBLE: (FAILED, "前缀不在本节点"),
    outcomes.REQUEST_QUOTA: (FAILED, "超出每日请求次数限制"),
    outcomes.REGISTRATION_QUOTA: (FAILED, "超出标识注册数量限制"),
    outcomes.PREFIX_QUOTA: (FAILED, "超出前缀数量限制"),
    outcomes.BUSY: (BROKEN, "系统繁忙"),
    outcomes.DRAINING: (BROKEN, "系统繁忙"),
    outcomes.STORAGE: (BROKEN, "系统繁忙"),
    outcomes.INTERNAL: (BROKEN, "系统内部错误"),
    outcomes.OUTCOME_UNKNOWN: (BROKEN, "操作结果未知，请查询后重试"),
}
#: What is said of an item of a record, by the rule that it breaks.
_ITEMS: Final[Mapping[str, str]] = {
    "unknown-item": "非法操作，索引{index}在模板中不存在",
    "wrong-type": "非法操作，索引{index}的类型与模板不一致，应为{item}",
    "missing": "缺少必填属性: {item}",
    "disabled": "属性{item}已禁用",
    "length": "属性{item}的长度不符合模板限制",
    "unique": "属性{item}的值已被其他标识使用",
    "reference": "属性{item}引用的标识不存在或类型不符",
    "template": "数据模板不存在或未发布",
}
_OTHER_ITEM: Final = "属性{item}的值不符合模板限制"
#: HTTP statuses that are kept: clients and what stands between go by them. All others are 200.
_KEPT: Final[Mapping[Outcome, int]] = {
    outcomes.OUTCOME_UNKNOWN: 504,
    outcomes.BUSY: 503,
    outcomes.DRAINING: 503,
    outcomes.STORAGE: 503,
    outcomes.INTERNAL: 500,
}


def refused(refusal: Refusal) -> Envelope:
    """The envelope of a refusal."""
    status, words = _WORDS.get(refusal.outcome, (FAILED, ""))
    match refusal:
        case TemplateNotFound():
            words = _ITEMS["template"]
        case TemplateExists():
            words = "数据模板已存在"
        case NotConforming(faults=faults):
            words = "；".join(map(_fault, faults))
        case InvalidIdentifier(message=message):
            words = f"标识格式不正确: {message}"
        case TooManyAttempts():
            words = "登录过于频繁，请稍后再试"
        case InvalidValue(field=str(field)):
            words = f"参数错误: {field}: {refusal}"
    return Envelope(words or f"参数错误: {refusal}", status)


def http_status(refusal: Refusal) -> int:
    """The HTTP status that the envelope of a refusal travels with."""
    return _KEPT.get(refusal.outcome, 200)


def _fault(fault: ItemFault) -> str:
    return _ITEMS.get(fault.rule, _OTHER_ITEM).format(index=fault.index, item=fault.item)
