"""Enterprises that enrol with a sector node: what they say of themselves, and its review.

The form has the fields that the national node asks for when a sector node reports an enterprise
(draft-chen-top-level-interface-protocol-03 section 3.2.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from registry.enterprises import regions
from registry.errors import AlreadyExists, InvalidValue, NotFound, StateConflict
from registry.schemes import uscc
from registry.schemes.industry import INDUSTRY

_PATTERNS: Final = (
    ("industry", INDUSTRY, "is a code of GB/T 4754-2017, as in C1512"),
    ("contact.email", re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,189}"), "is an e-mail address"),
    ("contact.phone", re.compile(r"\+?[0-9][0-9 -]{4,24}"), "is a telephone number"),
    ("website", re.compile(r"(https?://[!-~]{1,200})?"), "is an http or https URL"),
)
_LINES: Final = (
    "name",
    "name_en",
    "certificate_code",
    "legal_person.name",
    "legal_person.id_number",
    "address.text",
    "contact.name",
)
#: Controls, separators of lines, and what turns the direction of a text round.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

Line = Annotated[str, Meta(min_length=1, max_length=255)]
Optional = Annotated[str, Meta(max_length=255)]


class CertificateType(IntEnum):
    """What an enterprise is identified by: EPP `entCrtType`."""

    USCC = 1
    OTHER = 3


class Address(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`province`, `city` and `county` are codes of GB/T 2260, `text` is the rest."""

    province: str
    city: str
    county: str
    text: Line


class LegalPerson(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who answers for the enterprise before the law; `id_type` is one of the six kinds of EPP."""

    name: Line
    id_type: Annotated[int, Meta(ge=1, le=6)] = 1
    id_number: Annotated[str, Meta(max_length=64)] = ""


class Contact(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whom to write to."""

    name: Line
    email: str
    phone: str


class Form(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What an enterprise says of itself. `industry` is a code of GB/T 4754-2017, as in C1512."""

    name: Line
    name_en: Optional = ""
    certificate_type: CertificateType
    certificate_code: Annotated[str, Meta(min_length=1, max_length=64)]
    legal_person: LegalPerson
    address: Address
    industry: str
    contact: Contact
    website: Optional = ""
    description: Annotated[str, Meta(max_length=2000)] = ""


#: The members that stay as they were accepted.
IDENTITY: Final = ("name", "certificate_type", "certificate_code", "legal_person")


class EnterpriseState(StrEnum):
    """Where an enterprise stands."""

    APPLIED = "applied"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class EnterpriseOperation(StrEnum):
    """What can be done to an enterprise."""

    APPLY = "apply"
    CHANGE = "change"  # of what needs no new review
    ACCEPT = "accept"
    REJECT = "reject"


class Enterprise(NamedTuple):
    """An enterprise at a sector node.

    `number` is the node's for it. The certificate stands beside the form so that it can be found.
    `since` is when it came into its state, Unix milliseconds. `national` is its number at the
    national node, empty as long as it is not known there; `reported` says that the national node
    has the present form (0 or 1).
    """

    number: str
    state: EnterpriseState
    certificate_type: int
    certificate_code: str
    form: Form
    since: int
    national: str = ""
    reported: int = 0


_S = EnterpriseState
_O = EnterpriseOperation
#: What each operation leads to, by the state it starts from; others are refused.
TABLE: Final[dict[EnterpriseOperation, dict[EnterpriseState | None, EnterpriseState]]] = {
    _O.APPLY: {None: _S.APPLIED, _S.APPLIED: _S.APPLIED, _S.REJECTED: _S.APPLIED},
    _O.CHANGE: {_S.ACCEPTED: _S.ACCEPTED},
    _O.ACCEPT: {_S.APPLIED: _S.ACCEPTED},
    _O.REJECT: {_S.APPLIED: _S.REJECTED},
}


def step(state: EnterpriseState | None, operation: EnterpriseOperation) -> EnterpriseState:
    """The state that the operation leads to. Raises NotFound, StateConflict."""
    found = TABLE[operation].get(state)
    if found is not None:
        return found
    if state is None:
        raise NotFound
    raise StateConflict(operation.value, state.value, "enterprise")


def check(form: Form) -> None:
    """Raise InvalidValue, naming the member, for a form that cannot be true."""
    for field, message in _faults(form):
        raise InvalidValue(f"{field} {message}", field=field.replace(".", "/"))


def check_free(form: Form, others: list[Enterprise]) -> None:
    """Raise AlreadyExists if one of the other enterprises with this certificate is not rejected."""
    if any(other.state is not EnterpriseState.REJECTED for other in others):
        raise AlreadyExists(f"an enterprise with certificate {form.certificate_code} has enrolled")


def _faults(form: Form) -> Iterator[tuple[str, str]]:
    """The members that cannot be true, and what is wrong with each."""
    address = form.address
    if form.certificate_type is CertificateType.USCC:
        yield from _fault("certificate_code", uscc.fault(form.certificate_code))
    yield from _fault("address.province", regions.province_fault(address.province))
    yield from _fault("address.city", regions.city_fault(address.city, address.province))
    yield from _fault("address.county", regions.county_fault(address.county, address.city))
    for field, pattern, message in _PATTERNS:
        if not pattern.fullmatch(attrgetter(field)(form)):
            yield field, message
    for field in _LINES:
        if _CONTROLS.search(attrgetter(field)(form)):
            yield field, "has control characters"


def _fault(field: str, message: str | None) -> Iterator[tuple[str, str]]:
    if message is not None:
        yield field, message
