"""Seeded records: the same each time, of their sector, and fit for every protocol."""

from __future__ import annotations

import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.schemes import handle
from registry.seed import FAMILIES, SEEDED_AT, Family, records, split
from registry.seed.product import Draw, measure, pick
from registry.seed.vin import ALPHABET, check_digit, vin
from registry.values.admin import decode_admin
from registry.values.value import Value, decode_record, encode_record

LABEL = re.compile(r"(?!..--)[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?")
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def made(
    family: Family, count: int = 60, prefix: str = "88.905.1", seed: int = 1
) -> dict[str, tuple[Value, ...]]:
    return dict(records(family, prefix, count, seed=seed, prefecture="511500"))


def texts(values: tuple[Value, ...]) -> dict[str, str]:
    return {value.type.decode(): value.data.decode() for value in values if value.index != 100}


@every_family
def test_records_depend_on_seed_prefix_and_number_alone(family: Family) -> None:
    assert made(family, 60) == made(family, 60)
    assert list(made(family, 60).items()) == list(islice(made(family, 90).items(), 60))
    assert made(family, 60, seed=2) != made(family, 60)
    assert made(family, 60, prefix="88.905.2") != made(family, 60)


@every_family
def test_a_suffix_is_there_once_canonical_and_plain_in_dns(family: Family) -> None:
    suffixes = list(made(family, 200))
    assert len(suffixes) == 200
    for suffix in suffixes:
        assert handle.parse(f"88.905.1/{suffix}") == handle.Key("88.905.1", suffix)
        assert all(map(LABEL.fullmatch, suffix.split(".")))


@every_family
def test_a_record_has_url_admin_and_five_to_eight_items(family: Family) -> None:
    for suffix, values in made(family).items():
        by_index = {value.index: value for value in values}
        assert len(by_index) == len(values)
        assert by_index[1].type == b"URL"
        assert by_index[1].data.decode().endswith(f".{family.name}.example/{suffix}")
        items = [index for index in by_index if index >= 2000]
        assert items == list(range(2000, 2000 + len(items)))
        assert 5 <= len(items) <= 8
        assert {value.timestamp for value in values} == {SEEDED_AT}


@every_family
def test_a_record_is_of_ordinary_size_and_survives_its_encoding(family: Family) -> None:
    for values in made(family, prefix="88.901").values():
        record = encode_record(values)
        assert 300 <= len(record) <= 600
        assert decode_record(record) == values


@every_family
def test_the_administrator_is_that_of_the_prefix(family: Family) -> None:
    values = next(iter(made(family).values()))
    admin = decode_admin(next(value.data for value in values if value.index == 100))
    assert (admin.handle, admin.index) == (b"88.905.1/ADMIN", 300)
    assert f"{admin.permissions:012b}" == "011111110011"


@every_family
def test_a_unit_names_a_lot_that_exists(family: Family) -> None:
    found = made(family)
    lots = {texts(values).get("lot") for values in found.values()} - {None}
    assert lots
    for lot in lots:
        prefix, _, suffix = str(lot).partition("/")
        assert prefix == "88.905.1"
        assert "lot" not in texts(found[suffix])


@every_family
def test_lots_and_units_count_without_gaps(family: Family) -> None:
    numbers = range(1, 3 * (family.per_lot + 1) + 1)
    places = [family.place(number) for number in numbers]
    lots = [serial for product, serial, _ in places if product is family.lot]
    units = [serial for product, serial, _ in places if product is family.unit]
    assert lots == [1, 2, 3]
    assert units == list(range(1, 3 * family.per_lot + 1))


def test_families_do_not_look_alike() -> None:
    first = {name: next(iter(made(family).values())) for name, family in FAMILIES.items()}
    assert len({tuple(texts(values)) for values in first.values()}) == len(FAMILIES) == 20


def test_the_identifier_of_the_handbook_exists() -> None:
    assert "BOT-000001" in made(FAMILIES["baijiu"], 2)


def test_origin_is_the_prefecture() -> None:
    values = next(iter(made(FAMILIES["tea"]).values()))
    assert texts(values)["origin"] == "511500"


@given(st.integers(0, 10_000), st.integers(1, 30))
def test_split_is_whole_and_even(count: int, prefixes: int) -> None:
    shares = list(split(count, [f"88.901.{number}" for number in range(prefixes)]).values())
    assert len(shares) == prefixes
    assert sum(shares) == count
    assert shares == sorted(shares, reverse=True)
    assert max(shares) - min(shares) <= 1


# Vehicle identification numbers


@pytest.mark.parametrize("known", ["11111111111111111", "1M8GDM9AXKP042788"])
def test_check_digits_of_the_published_examples(known: str) -> None:
    assert check_digit(known) == known[8]


def test_vehicles_carry_valid_numbers_of_no_real_maker() -> None:
    units = [suffix for suffix in made(FAMILIES["vehicles"], 400) if len(suffix) == 17]
    assert len(units) > 300
    for unit in units:
        assert unit.startswith("0XD")
        assert set(unit) <= set(ALPHABET)
        assert check_digit(unit) == unit[8]


def test_numbers_stay_apart_beyond_a_million_and_between_enterprises() -> None:
    numbers = (1, 999_999, 1_000_000, 1_000_001, 32_999_999)
    prefixes = ("88.905", "88.905.1", "88.905.100")
    made_of = {vin(prefix, number) for prefix in prefixes for number in numbers}
    assert len(made_of) == len(numbers) * len(prefixes)
    assert all(len(number) == 17 for number in made_of)


# Draws


@given(st.binary(min_size=64, max_size=64))
def test_draws_stay_in_their_range(digest: bytes) -> None:
    draw = Draw(digest)
    assert 0 <= draw.below(7) < 7
    assert pick("a|b|c")(draw) in "abc"
    assert 1.5 <= float(measure(1.5, 2.5, " t", 1)(draw).removesuffix(" t")) <= 2.5


def test_a_measure_reaches_both_ends() -> None:
    size = measure(0.1, 0.3, "", 1)
    assert {size(Draw(bytes([number]))) for number in range(3)} == {"0.1", "0.2", "0.3"}
