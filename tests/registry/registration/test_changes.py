"""What becomes of an identifier: a model of RFC 3652's changes beside the real decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry.errors import (
    AlreadyExists,
    InvalidValue,
    NotFound,
    PreconditionFailed,
    Refusal,
    StateConflict,
    ValueExists,
    ValuesNotFound,
)
from registry.registration.changes import (
    MAX_RECORD,
    MAX_VALUES,
    AddValues,
    Change,
    Create,
    Delete,
    IfVersion,
    ModifyValues,
    Move,
    PutValues,
    RemoveValues,
    Reserve,
    decide,
)
from registry.registration.lifecycle import RESTORE_WINDOW, Operation, State
from registry.schemes.handle import Key
from registry.storage.interface import ACTIVE, Row
from registry.values.value import Reference, Value, decode_record, encode_record

KEY = Key("88.901", "BOT-1")
URL = Value(1, b"URL", b"https://example.test/1")
BATCH = Value(2000, b"BATCH", b"A7")


def stored(*values: Value, state: int = ACTIVE, version: int = 3) -> Row:
    return Row(*KEY, encode_record(values), state, version, 500)


REVOKED = stored(BATCH, state=State.REVOKED)


def values_of(row: Row | None) -> list[Value]:
    assert row is not None
    return list(decode_record(row.record))


class TestDecide:
    def test_a_new_identifier_carries_the_time_of_the_server(self) -> None:
        row = decide(Create(KEY, [replace(URL, timestamp=1)]), None, 900)
        assert row == Row(*KEY, encode_record([replace(URL, timestamp=900)]), ACTIVE, 1, 900)

    def test_overwriting_replaces_all_values(self) -> None:
        row = decide(Create(KEY, [BATCH], overwrite=True), stored(URL), 900)
        assert values_of(row) == [replace(BATCH, timestamp=900)]
        assert row is not None
        assert row.version == 4

    def test_values_that_are_not_named_keep_their_octets_and_place(self) -> None:
        before = stored(replace(URL, timestamp=7), replace(BATCH, timestamp=8))
        row = decide(ModifyValues(KEY, [replace(URL, data=b"new")]), before, 900)
        first = replace(URL, data=b"new", timestamp=900)
        assert values_of(row) == [first, replace(BATCH, timestamp=8)]

    def test_putting_adds_and_replaces(self) -> None:
        row = decide(PutValues(KEY, [replace(URL, data=b"new"), BATCH]), stored(URL), 900)
        assert [(value.index, value.data) for value in values_of(row)] == [
            (1, b"new"),
            (2000, b"A7"),
        ]

    def test_the_last_value_can_go_without_the_identifier(self) -> None:
        assert values_of(decide(RemoveValues(KEY, [1]), stored(URL), 900)) == []

    def test_deleting(self) -> None:
        assert decide(Delete(KEY), stored(URL), 900) is None

    @pytest.mark.parametrize(
        ("change", "before", "refusal"),
        [
            (Create(KEY, [URL]), stored(BATCH), AlreadyExists),
            (Create(KEY, [URL], overwrite=True), stored(BATCH, state=State.ON_HOLD), AlreadyExists),
            (Create(KEY, [URL], overwrite=True), REVOKED, AlreadyExists),
            (PutValues(KEY, [URL]), None, NotFound),
            (AddValues(KEY, [URL]), None, NotFound),
            (ModifyValues(KEY, [URL]), None, NotFound),
            (RemoveValues(KEY, [1]), None, NotFound),
            (Delete(KEY), None, NotFound),
            (PutValues(KEY, [URL]), stored(state=State.RESERVED), NotFound),
            (PutValues(KEY, [URL]), stored(URL, state=State.ON_HOLD), StateConflict),
            (Delete(KEY), stored(URL, state=State.ON_HOLD), StateConflict),
            (Reserve(KEY), stored(URL), AlreadyExists),
            (IfVersion(Delete(KEY), {2, 4}), stored(URL), PreconditionFailed),
            (IfVersion(Create(KEY, [URL]), None), None, PreconditionFailed),
            (AddValues(KEY, [BATCH, URL]), stored(URL), ValueExists),
            (ModifyValues(KEY, [URL, BATCH]), stored(URL), ValuesNotFound),
            (RemoveValues(KEY, [1, 2]), stored(URL), ValuesNotFound),
        ],
    )
    def test_refusals(self, change: Change, before: Row | None, refusal: type[Refusal]) -> None:
        with pytest.raises(refusal):
            decide(change, before, 900)

    def test_a_hold_keeps_the_values(self) -> None:
        held = decide(Move(KEY, Operation.HOLD), stored(URL), 900)
        assert held == stored(URL, state=State.ON_HOLD, version=4)._replace(modified=900)
        released = decide(IfVersion(Move(KEY, Operation.RELEASE), {4}), held, 901)
        assert released == stored(URL, version=5)._replace(modified=901)

    def test_a_reservation_has_no_values_and_is_filled_by_registering(self) -> None:
        reserved = decide(Reserve(KEY), None, 900)
        assert reserved == Row(*KEY, encode_record([]), State.RESERVED, 1, 900)
        row = decide(Create(KEY, [URL]), reserved, 901)
        assert values_of(row) == [replace(URL, timestamp=901)]
        assert row is not None
        assert (row.state, row.version) == (ACTIVE, 2)

    def test_a_revoked_one_comes_back_within_the_window_and_is_free_after_it(self) -> None:
        revoked = decide(Move(KEY, Operation.REVOKE), stored(URL), 900)
        assert revoked is not None
        last = 900 + RESTORE_WINDOW - 1
        assert values_of(decide(Move(KEY, Operation.RESTORE), revoked, last)) == [URL]
        with pytest.raises(AlreadyExists):
            decide(Create(KEY, [BATCH]), revoked, last)
        with pytest.raises(NotFound):
            decide(Move(KEY, Operation.RESTORE), revoked, last + 1)
        again = decide(Create(KEY, [BATCH]), revoked, last + 1)
        assert values_of(again) == [replace(BATCH, timestamp=last + 1)]
        assert again is not None
        assert again.version == 5

    def test_versions_go_on_after_a_deletion(self) -> None:
        row = decide(Create(KEY, [URL]), None, 900, last_version=7)
        assert row is not None
        assert row.version == 8

    @pytest.mark.parametrize(
        ("value", "field"),
        [
            (replace(URL, index=0), "index"),
            (replace(URL, index=-1), "index"),
            (replace(URL, index=2**31), "index"),
            (replace(URL, type=b"\xff"), "type"),
            (replace(URL, ttl_type=2), "ttl_type"),
            (replace(URL, ttl=-1), "ttl"),
            (replace(URL, ttl=2**32), "ttl"),
            (replace(URL, permissions=16), "permissions"),
            (replace(URL, references=(Reference(b"88/1", 2**32),)), "references"),
        ],
    )
    def test_values_that_may_not_be_stored(self, value: Value, field: str) -> None:
        with pytest.raises(InvalidValue) as caught:
            decide(Create(KEY, [BATCH, value]), None, 900)
        assert (caught.value.index, caught.value.field) == (value.index, field)

    def test_an_index_given_twice(self) -> None:
        with pytest.raises(InvalidValue) as caught:
            decide(PutValues(KEY, [BATCH, URL, replace(URL, data=b"")]), stored(), 900)
        assert (caught.value.index, caught.value.field) == (1, "index")

    def test_the_greatest_number_of_values(self) -> None:
        most = [Value(index, b"", b"") for index in range(1, MAX_VALUES + 1)]
        row = decide(Create(KEY, most), None, 900)
        assert len(values_of(row)) == MAX_VALUES
        with pytest.raises(InvalidValue):
            decide(AddValues(KEY, [Value(MAX_VALUES + 1, b"", b"")]), row, 900)

    def test_the_largest_record(self) -> None:
        room = MAX_RECORD - len(encode_record([Value(1, b"", b"")]))
        assert decide(Create(KEY, [Value(1, b"", b"x" * room)]), None, 900) is not None
        with pytest.raises(InvalidValue):
            decide(Create(KEY, [Value(1, b"", b"x" * (room + 1))]), None, 900)


indexes = st.integers(0, 5)
some_values = st.lists(st.builds(Value, indexes, st.just(b"T"), st.binary(max_size=3)), max_size=3)


class Identifier(RuleBasedStateMachine):
    """One identifier under any sequence of changes, beside a dictionary that does the same."""

    def __init__(self) -> None:
        super().__init__()
        self.row: Row | None = None
        self.model: dict[int, bytes] | None = None
        self.now = 1000
        self.touched: dict[int, int] = {}

    def change(
        self, change: Change, allowed: bool, after: dict[int, bytes] | None, named: set[int]
    ) -> None:
        """Do it on both; a refusal must come exactly where the model forbids the change."""
        self.now += 1
        try:
            row = decide(change, self.row, self.now)
        except Refusal:
            assert not allowed
            return
        assert allowed
        version = 0 if self.row is None else self.row.version
        assert row is None or row.version == version + 1
        self.row, self.model = row, after
        times = self.touched | dict.fromkeys(named, self.now)
        self.touched = {index: times[index] for index in after or {}}

    def new_in(self, values: dict[int, bytes]) -> set[int]:
        """Where the values differ from what is there: what stays the same keeps its timestamp."""
        there = self.model or {}
        return {index for index, data in values.items() if there.get(index) != data}

    @rule(values=some_values, overwrite=st.booleans())
    def create(self, values: list[Value], overwrite: bool) -> None:
        allowed = sound(values) and (self.model is None or overwrite)
        after = data_of(values)
        self.change(Create(KEY, values, overwrite), allowed, after, self.new_in(after))

    @rule(values=some_values)
    def put(self, values: list[Value]) -> None:
        allowed = sound(values) and self.model is not None
        new = data_of(values)
        after = dict(sorted({**(self.model or {}), **new}.items()))
        self.change(PutValues(KEY, values), allowed, after, self.new_in(new))

    @rule(values=some_values)
    def add(self, values: list[Value]) -> None:
        there, new = self.model or {}, data_of(values)
        allowed = sound(values) and self.model is not None and not there.keys() & new.keys()
        after = dict(sorted({**there, **new}.items()))
        self.change(AddValues(KEY, values), allowed, after, set(new))

    @rule(values=some_values)
    def modify(self, values: list[Value]) -> None:
        there, new = self.model or {}, data_of(values)
        allowed = sound(values) and self.model is not None and new.keys() <= there.keys()
        self.change(ModifyValues(KEY, values), allowed, {**there, **new}, set(new))

    @rule(gone=st.lists(indexes, max_size=3))
    def remove(self, gone: list[int]) -> None:
        there = self.model or {}
        allowed = self.model is not None and set(gone) <= there.keys()
        after = {index: data for index, data in there.items() if index not in gone}
        self.change(RemoveValues(KEY, gone), allowed, after, set())

    @rule()
    def delete(self) -> None:
        self.change(Delete(KEY), self.model is not None, None, set())

    @invariant()
    def both_hold_the_same(self) -> None:
        if self.model is None:
            assert self.row is None
            return
        found = values_of(self.row)
        assert [(value.index, value.data) for value in found] == list(self.model.items())
        assert {value.index: value.timestamp for value in found} == self.touched


def sound(values: list[Value]) -> bool:
    given = [value.index for value in values]
    return all(given) and len(set(given)) == len(given)


def data_of(values: list[Value]) -> dict[int, bytes]:
    return {value.index: value.data for value in values}


TestIdentifier = Identifier.TestCase
