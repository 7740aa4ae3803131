"""What the pages say, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Text(NamedTuple):
    """One text; the members are the languages."""

    en: str
    zh: str


TEXTS: Final[Mapping[str, Text]] = {
    "language": Text("English", "中文"),
    "role.root": Text("International root", "国际根节点"),
    "role.national": Text("National top-level node", "国家顶级节点"),
    "role.sector": Text("Secondary sector node", "二级节点"),
    "role.enterprise": Text("Enterprise node", "企业节点"),
    "role.recursive": Text("Recursive node", "递归节点"),
    "prefix": Text("Prefix", "前缀"),
    "look-up": Text("Look up", "查询"),
    "identifier": Text("Identifier", "标识"),
    "placeholder": Text("for example 88.901.7/BOT-000001", "例如 88.901.7/BOT-000001"),
    "endpoints": Text("How to reach this node", "本节点的访问方式"),
    "examples": Text("Registered here, to try", "可试查的标识"),
    "about.recursive": Text(
        "Resolves identifiers of every node of the hierarchy, starting from the root.",
        "从根节点开始，逐级解析整个体系中的标识。",
    ),
    "about.homed": Text(
        "Answers for the identifiers under its prefix and refers to the nodes below it.",
        "负责解析本前缀下的标识，并指引至下级节点。",
    ),
    "index": Text("Index", "索引"),
    "type": Text("Type", "类型"),
    "data": Text("Data", "数据"),
    "properties": Text("Properties", "属性"),
    "ttl": Text("TTL {} s", "缓存 {} 秒"),
    "until": Text("valid until {}", "有效至 {}"),
    "permissions": Text("permissions {}", "权限 {}"),
    "modified": Text("changed {}", "更新于 {}"),
    "undated": Text("no date", "无时间"),
    "references": Text("references {}", "引用 {}"),
    "octets": Text("{} octets", "{} 字节"),
    "open": Text("Open the address", "打开地址"),
    "json": Text("JSON", "JSON"),
    "trace": Text("Resolution trace", "解析过程"),
    "not-followed": Text(
        "The address in this record is shown only: it is not of a kind that is opened at once.",
        "本记录中的地址仅供显示：此类地址不会自动跳转。",
    ),
    "site": Text("Serial {}, {}", "序列号 {}，{}"),
    "primary": Text("primary", "主站点"),
    "mirror": Text("mirror", "镜像站点"),
    "key": Text("{} key, {} bits", "{} 公钥，{} 位"),
    "query": Text("query", "查询"),
    "admin": Text("administration", "管理"),
    "rights": Text("rights {}", "管理权限 {}"),
    "responsible": Text("Responsible node: {}", "负责节点：{}"),
    "ask-there": Text("Look it up there", "到该节点查询"),
    "contact": Text("Contact: {}", "联系人：{}"),
    "not-found": Text("Identifier not found", "标识不存在"),
    "not-found.more": Text("Nothing is registered under this name.", "该名称下没有注册任何内容。"),
    "value-not-found": Text("No such values", "没有所要的值"),
    "value-not-found.more": Text(
        "The identifier exists, but has none of the values asked for.",
        "标识存在，但没有所要求的值。",
    ),
    "not-responsible": Text("Not answered here", "本节点不负责该标识"),
    "not-responsible.more": Text(
        "This node does not answer for the prefix of the identifier.",
        "本节点不负责解析该标识的前缀。",
    ),
    "invalid-identifier": Text("Not an identifier", "不是有效的标识"),
    "malformed": Text("Request not understood", "无法理解该请求"),
    "inactive": Text("The prefix is not active", "该前缀已停用"),
    "inactive.more": Text(
        "Identifiers under this prefix are not resolved at present.",
        "目前不解析该前缀下的标识。",
    ),
    "resolution-loop": Text("Aliases in a circle", "别名循环"),
    "resolution-loop.more": Text("The alias leads back to itself.", "该别名最终指向自身。"),
    "resolution-limit": Text("Too many aliases", "别名过多"),
    "resolution-limit.more": Text(
        "The chain of aliases is longer than is followed.", "别名链过长，已停止解析。"
    ),
    "method-not-allowed": Text("Method not allowed", "不允许的请求方法"),
    "failed": Text("Resolution failed", "解析失败"),
    "failed.more": Text(
        "It is not known whether the identifier exists. Try again later.",
        "无法确定标识是否存在，请稍后再试。",
    ),
}


class Speaker:
    """Says things in one language: `say("ttl", 60)`."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, name: str, *arguments: object) -> str:
        """The text of that name. Raises KeyError."""
        text: str = getattr(TEXTS[name], self.language)
        return text.format(*arguments) if arguments else text

    def get(self, name: str) -> str | None:
        """The text of that name, None if there is none."""
        return self(name) if name in TEXTS else None
