"""Enterprises that do not exist: what the forms of a topology's enterprises say."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from registry.enterprises.enterprise import Address, CertificateType, Contact, Form, LegalPerson
from registry.schemes import uscc
from registry.seed.product import Draw

#: An enterprise registered with the market regulator: the first two characters of its code.
_ENTERPRISE: Final = "91"
_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_GIVEN: Final = "一二三四五六七八九十"


def synthetic_form(
    prefix: str, name: str, name_en: str, *, industry: str, prefecture: str, seed: int
) -> Form:
    """The form of an enterprise; the arguments decide all. `prefecture` is a GB/T 2260 code."""
    draw = Draw(blake2b(f"{seed}/enterprise/{prefix}".encode()).digest())
    county = f"{prefecture[:4]}{2 + draw.below(8):02}"
    person = f"{_SURNAMES[draw.below(len(_SURNAMES))]}示{_GIVEN[draw.below(len(_GIVEN))]}"
    domain = f"{prefix.replace('.', '-')}.example"
    return Form(
        name=name,
        name_en=name_en,
        certificate_type=CertificateType.USCC,
        certificate_code=_code(county, draw),
        legal_person=LegalPerson(person),
        address=Address(
            f"{prefecture[:2]}0000", prefecture, county, f"示例路 {draw.below(999)} 号"
        ),
        industry=industry,
        contact=Contact(person, f"contact@{domain}", f"+86 28 {draw.below(10**8):08}"),
        website=f"https://{domain}/",
    )


def _code(division: str, draw: Draw) -> str:
    letters = uscc.ALPHABET
    organisation = "".join(letters[draw.below(len(letters))] for _ in range(9))
    body = f"{_ENTERPRISE}{division}{organisation}"
    return body + uscc.check_character(body)
