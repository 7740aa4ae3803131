"""What an enterprise says of itself, and the states it goes through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from registry.enterprises.enterprise import (
    EnterpriseOperation,
    EnterpriseState,
    Form,
    check,
    step,
)
from registry.errors import InvalidValue, NotFound, Refusal, StateConflict
from registry.schemes import uscc
from registry.seed.enterprises import synthetic_form
from tests.support.enterprises import form, form_members

#: A change of the form, and the member that is named.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "check character": ({"certificate_code": "91511502MA0DEM0N10"}, "certificate_code"),
    "short code": ({"certificate_code": "9151"}, "certificate_code"),
    "province": ({"address": {"province": "990000"}}, "address/province"),
    "city for a province": ({"address": {"province": "511500"}}, "address/province"),
    "no prefecture of Sichuan": ({"address": {"city": "510200"}}, "address/city"),
    "city of another province": ({"address": {"city": "440100"}}, "address/city"),
    "county of another city": ({"address": {"county": "510104"}}, "address/county"),
    "city for a county": ({"address": {"county": "511500"}}, "address/county"),
    "full-width digits": ({"address": {"county": "５１１５０２"}}, "address/county"),
    "industry": ({"industry": "1512"}, "industry"),
    "e-mail": ({"contact": {"email": "nobody"}}, "contact/email"),
    "line break in an e-mail": ({"contact": {"email": "a@b.example\nBcc: c@d"}}, "contact/email"),
    "telephone": ({"contact": {"phone": "call me"}}, "contact/phone"),
    "web site": ({"website": "javascript:alert(1)"}, "website"),
    "control character": ({"name": "示例\x00"}, "name"),
    "turned round": ({"name": "示例\u202e"}, "name"),
    "name of the legal person": ({"legal_person": {"name": "\x1b[1m"}}, "legal_person/name"),
}


def changed(changes: dict[str, Any]) -> Form:
    members = form_members()
    for name, value in changes.items():
        members[name] = {**members[name], **value} if isinstance(value, dict) else value
    return msgspec.convert(members, Form)


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_true_is_named(case):
    changes, field = WRONG[case]
    with pytest.raises(InvalidValue) as refused:
        check(changed(changes))
    assert refused.value.field == field


def test_another_certificate_has_no_check_character():
    check(changed({"certificate_type": 3, "certificate_code": "REG-1"}))


@pytest.mark.parametrize("prefecture", ["510100", "511500", "513400"])
def test_what_is_made_up_can_be_true(prefecture):
    made = synthetic_form(
        "88.901.7", "示例", "Demo", industry="C1512", prefecture=prefecture, seed=2021
    )
    check(made)
    assert uscc.fault(made.certificate_code) is None
    assert made == synthetic_form(
        "88.901.7", "示例", "Demo", industry="C1512", prefecture=prefecture, seed=2021
    )


def test_each_enterprise_has_a_certificate_of_its_own():
    assert len({form(number).certificate_code for number in range(200)}) == 200


_A, _C, _R = EnterpriseState.APPLIED, EnterpriseState.ACCEPTED, EnterpriseState.REJECTED
#: By operation, from: nothing, applied, accepted, rejected.
LIFE: dict[str, tuple[EnterpriseState | type[Refusal], ...]] = {
    "apply": (_A, _A, StateConflict, _A),
    "change": (NotFound, StateConflict, _C, StateConflict),
    "accept": (NotFound, _C, StateConflict, StateConflict),
    "reject": (NotFound, _R, StateConflict, StateConflict),
}


@pytest.mark.parametrize(
    ("operation", "state", "wanted"),
    [
        (operation, state, wanted)
        for operation, row in LIFE.items()
        for state, wanted in zip((None, _A, _C, _R), row, strict=True)
    ],
)
def test_what_an_operation_leads_to(operation, state, wanted):
    if isinstance(wanted, EnterpriseState):
        assert step(state, EnterpriseOperation(operation)) is wanted
    else:
        with pytest.raises(wanted):
            step(state, EnterpriseOperation(operation))
