"""What a node says by itself: values, referrals and refusals, in the order of its sources."""

from __future__ import annotations

import pytest

from registry import outcomes
from registry.prefixes.tree import PrefixTree
from registry.registration.lifecycle import State
from registry.schemes.handle import parse
from registry.storage.interface import Row
from registry.values.value import Value, decode_record, encode_record
from resolver.authority import NOT_HERE, Authority
from resolver.query import Query, Referral, Refused, Values

NOW = 1_700_000_000.0
SITE = encode_record([Value(1, b"HS_SITE", b"s"), Value(2, b"HS_SITE.PREFIX", b"d")])
STORED = {
    ("88.901", "A"): encode_record(
        [
            Value(1, b"URL", b"u", ttl=60),
            Value(2, b"url.mirror", b"m"),
            Value(3, b"SECRET", b"s", permissions=0b1100),
            Value(4, b"LOCKED", b"l", permissions=0b0100),
        ]
    ),
    ("88.901", "OPEN"): encode_record([Value(1, b"URL", b"u"), Value(2, b"URL", b"v")]),
    ("0.NA", "88.901.5"): SITE,
}
KEPT_OUT = {"RESERVED": State.RESERVED, "HELD": State.ON_HOLD, "REVOKED": State.REVOKED}


class Stored:
    def record(self, prefix: str, suffix: str) -> bytes | None:
        return STORED.get((prefix, suffix))

    def row(self, prefix: str, suffix: str) -> Row | None:
        state = KEPT_OUT.get(suffix)
        return None if state is None else Row(prefix, suffix, SITE, state, 1, 0)


@pytest.fixture
def authority() -> Authority:
    tree = PrefixTree(["88.901", "88.901.7"])
    tree.update("88.901.5", SITE)
    return Authority(tree, Stored())


def ask(authority: Authority, text: str, **options):
    return authority.answer(Query(text.encode(), parse(text), **options), NOW)


def indexes(answer: Values) -> list[int]:
    return [value.index for value in decode_record(answer.record)]


def test_public_values_in_the_order_of_the_record(authority):
    answer = ask(authority, "88.901/a")
    assert indexes(answer) == [1, 2]
    assert answer.ttl == 60
    assert answer.authoritative


def test_indexes_and_types_are_a_union_and_types_fold_case(authority):
    assert indexes(ask(authority, "88.901/A", indexes=(2,), types=(b"Url",))) == [1, 2]
    assert indexes(ask(authority, "88.901/A", types=(b"URL.",))) == [1, 2]
    assert indexes(ask(authority, "88.901/A", types=(b"URL",))) == [1]
    assert indexes(ask(authority, "88.901/A", indexes=(1, 77))) == [1]


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"indexes": (3,)}, outcomes.VALUES_NOT_FOUND),
        ({"indexes": (0,)}, outcomes.VALUES_NOT_FOUND),
        ({"types": (b"UR",)}, outcomes.VALUES_NOT_FOUND),
        ({"indexes": (3,), "public_only": False}, outcomes.AUTHENTICATION_NEEDED),
        ({"indexes": (4,), "public_only": False}, outcomes.NOT_PERMITTED),
    ],
)
def test_what_may_not_be_read_or_is_not_there(authority, options, outcome):
    answer = ask(authority, "88.901/A", **options)
    assert isinstance(answer, Refused)
    assert answer.outcome is outcome


def test_without_restricted_values_nobody_has_to_authenticate(authority):
    assert indexes(ask(authority, "88.901/OPEN", public_only=False)) == [1, 2]


@pytest.mark.parametrize(
    "text", ["88.901/none", "88.901.7/none", "88.901.999/x", "0.NA/88.901.9", "88.901.7.1/x"]
)
def test_an_authority_denies_what_does_not_exist_below_it(authority, text):
    assert ask(authority, text).outcome is outcomes.NOT_FOUND


@pytest.mark.parametrize("text", ["88.902/x", "99.9/x", "0.NA/88.901", "0.NA/99", "88.90/x"])
def test_of_the_rest_it_knows_nothing(authority, text):
    assert ask(authority, text) is None


def test_identifiers_of_a_child_are_referred_to_it(authority):
    answer = ask(authority, "88.901.5/x")
    assert isinstance(answer, Referral)
    assert (answer.outcome, answer.prefix) == (outcomes.SERVICE_REFERRAL, "88.901.5")
    assert [value.type for value in decode_record(answer.record)] == [b"HS_SITE"]
    assert ask(authority, "88.901.5.9/x").prefix == "88.901.5"
    refused = ask(authority, "88.901.5/x", do_not_refer=True)
    assert (refused.outcome, refused.detail) == (outcomes.NOT_RESPONSIBLE, NOT_HERE)


def test_records_of_derived_prefixes_are_referred_too(authority):
    answer = ask(authority, "0.NA/88.901.5.3")
    assert (answer.outcome, answer.prefix) == (outcomes.PREFIX_REFERRAL, "88.901.5")
    assert [value.type for value in decode_record(answer.record)] == [b"HS_SITE.PREFIX"]
    assert ask(authority, "0.NA/88.901.5.3", do_not_refer=True).outcome is outcomes.NOT_FOUND
    assert ask(authority, "0.NA/88.901.5.3", refer_prefix=False).outcome is outcomes.INTERNAL


def test_a_prefix_record_is_found_with_and_without_its_prefix(authority):
    assert ask(authority, "88.901.5") == ask(authority, "0.na/88.901.5")


@pytest.mark.parametrize(
    ("suffix", "outcome"),
    [
        ("RESERVED", outcomes.NOT_FOUND),
        ("HELD", outcomes.ON_HOLD),
        ("REVOKED", outcomes.GONE),
    ],
)
def test_what_is_kept_out_of_resolution_says_why(authority, suffix, outcome):
    assert ask(authority, f"88.901/{suffix}").outcome is outcome
