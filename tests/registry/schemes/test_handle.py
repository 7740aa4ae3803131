"""The grammar of handles and their canonical form."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidIdentifier
from registry.schemes.handle import (
    ROOT_RECORD,
    HandleRules,
    Key,
    ancestors,
    ascii_upper,
    check_prefix,
    parent,
    parse,
    prefix_record,
)

SENSITIVE = HandleRules(case_sensitive_suffix=True)


@pytest.mark.parametrize(
    ("text", "prefix", "suffix"),
    [
        ("88.901.7/bot-1", "88.901.7", "BOT-1"),
        ("88.901/a/b//c", "88.901", "A/B//C"),
        ("88.901/", "88.901", ""),
        ("88.901", "0.NA", "88.901"),
        ("0.na/88", "0.NA", "88"),
        ("", "0.NA", ""),
        ("10.1000/é", "10.1000", "é"),
        ("10.1000/straße", "10.1000", "STRAßE"),
        ("any.thing/ spaced ", "ANY.THING", " SPACED "),
    ],
)
def test_the_first_slash_splits(text: str, prefix: str, suffix: str) -> None:
    assert parse(text) == Key(prefix, suffix)
    assert parse(text.encode()) == Key(prefix, suffix)


@pytest.mark.parametrize(
    ("text", "rule", "offset"),
    [
        ("/suffix", "prefix", 0),
        (b"88.901/\xff", "utf-8", 7),
        (b"88/\xed\xa0\x80", "utf-8", 3),
        ("88/\ud800", "control", 3),
        ("88/a\x00b", "control", 4),
        ("88/a\x7f", "control", 4),
        ("88/\x85", "control", 3),
        ("88/" + "a" * 253, "length", 255),
        (b"88/" + b"a" * 253, "length", 255),
        ("88/" + "é" * 127, "length", 255),
    ],
)
def test_refusals_name_rule_and_place(text: str | bytes, rule: str, offset: int) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse(text)
    assert (refusal.value.rule, refusal.value.offset) == (rule, offset)


def test_the_longest_handle() -> None:
    assert len(str(parse("88/" + "a" * 252))) == 255
    assert parse("88/" + "é" * 126).suffix == "é" * 126
    with pytest.raises(InvalidIdentifier, match="21 octets, at most 20"):
        parse("88/" + "a" * 18, HandleRules(max_length=20))


def test_case_sensitive_suffixes() -> None:
    assert parse("88.a/Bot", SENSITIVE) == Key("88.A", "Bot")
    assert parse("0.na/88.a", SENSITIVE) == Key("0.NA", "88.A")
    assert parse("88.a", SENSITIVE) == Key("0.NA", "88.A")


@given(st.binary(max_size=300), st.sampled_from([HandleRules(), SENSITIVE]))
def test_any_octets_are_a_key_or_a_refusal(data: bytes, rules: HandleRules) -> None:
    with contextlib.suppress(InvalidIdentifier):
        key = parse(data, rules)
        assert parse(str(key), rules) == key


@given(st.text(max_size=60))
def test_text_and_its_octets_agree(text: str) -> None:
    def outcome(asked: str | bytes) -> Key | str:
        try:
            return parse(asked)
        except InvalidIdentifier as error:
            return error.rule

    assert outcome(text) == outcome(text.encode())


@given(st.text())
def test_only_ascii_letters_are_raised(text: str) -> None:
    raised = ascii_upper(text) if text.isprintable() else text
    assert len(raised) == len(text)
    assert all(
        new == old or (old.isascii() and new == old.upper())
        for old, new in zip(text, raised, strict=True)
    )


@pytest.mark.parametrize("prefix", ["88", "88.901", "88.9011", "88.901.1", "88.901.12345678.3"])
def test_prefixes_within_the_rules(prefix: str) -> None:
    check_prefix(prefix)


@pytest.mark.parametrize(
    ("prefix", "rule", "offset"),
    [
        ("8", "national-code", 0),
        ("AB", "national-code", 0),
        ("88.90", "sector-code", 3),
        ("88.90100", "sector-code", 3),
        ("88.901.", "enterprise-code", 7),
        ("88.901.123456789", "enterprise-code", 7),
        ("88.901.1.X", "enterprise-code", 9),
        ("88.٣٤٥", "sector-code", 3),
    ],
)
def test_prefixes_against_the_rules(prefix: str, rule: str, offset: int) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        check_prefix(prefix)
    assert (refusal.value.rule, refusal.value.offset) == (rule, offset)


def test_other_rules() -> None:
    check_prefix("20.500.A1", HandleRules(enterprise="[A-Z][0-9]"))


def test_family_of_a_prefix() -> None:
    assert [parent(prefix) for prefix in ("88.901.7", "88.901", "88")] == ["88.901", "88", None]
    assert ancestors("88.901.7") == ["88.901.7", "88.901", "88"]
    assert prefix_record("88.901") == Key("0.NA", "88.901")
    assert prefix_record("88").is_prefix_record
    assert str(parse(ROOT_RECORD)) == ROOT_RECORD
