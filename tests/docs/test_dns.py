"""docs/dns.md: its examples are what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from registry import outcomes
from registry.schemes.dns_name import Place, PlaceKind, describe, from_labels, to_name, zone_labels
from registry.schemes.handle import parse
from registry.values.value import Value, encode_record
from resolver.codecs.dns import rdata
from resolver.query import Referral
from tests.support.dns_messages import ROOT, question, reply, site_record, texts

PAGE = (Path(__file__).parents[2] / "docs" / "dns.md").read_text()
PAIRS = re.findall(r"^\| `([^`<]+/[^`]*)` \| `([^`<]+)` \|$", PAGE, re.MULTILINE)
VALUES = {
    "URL": Value(1, b"URL", b"https://example.test/1"),
    "no data": Value(7, b"T", b"", 0, 60, 1_700_000_000, 0b1111),
    "octets": Value(2, b"T", b"\x00\xff", 1, 99),
}


@pytest.mark.parametrize(("identifier", "name"), PAIRS)
def test_the_names_of_the_tables(identifier: str, name: str) -> None:
    assert to_name(parse(identifier)) == name
    assert describe(name)["canonical"] == identifier


def test_the_tables_are_found() -> None:
    assert len(PAIRS) >= 14


@pytest.mark.parametrize("name", sorted(set(re.findall(r"[\w.-]+\.id\.test", PAGE))))
def test_every_name_on_the_page_is_one_of_ours(name: str) -> None:
    found = from_labels(tuple(name.encode().split(b".")), zone_labels("id.test"))
    assert found is not None
    assert not (isinstance(found, Place) and found.kind is PlaceKind.UNKNOWN)


@pytest.mark.parametrize("what", VALUES)
def test_the_strings_of_the_txt_table(what: str) -> None:
    (row,) = (line for line in PAGE.splitlines() if re.match(rf"\| index \d,.*{what}", line))
    strings = re.findall(r"`([^`]+)`", row.split("|")[2])
    (octets,) = rdata.txt(encode_record([VALUES[what]]))
    assert octets == b"".join(bytes((len(one),)) + one.encode() for one in strings)


def test_the_referral_of_the_last_example() -> None:
    answer = Referral(outcomes.SERVICE_REFERRAL, "88", site_record("127.0.0.1", 2663), 86_400)
    message = reply(question("bot-000001.h.7.901.88.id.test"), answer, ROOT)
    shown = [" ".join(line.split()) for line in PAGE.splitlines() if " IN " in line]
    assert texts(message, "authority") + texts(message, "additional") == shown
