"""Who may administer what: HS_ADMIN, groups, prefixes, and what each change takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import (
    AuthenticationNeeded,
    NotAnAdministrator,
    NotPermitted,
    Refusal,
)
from registry.membership import MAX_DEPTH, MAX_GROUPS, MAX_MEMBERS, Identity
from registry.registration.changes import (
    Change,
    Create,
    Delete,
    ModifyValues,
    PutValues,
    RemoveValues,
)
from registry.rights import (
    Rights,
    bootstrap_administrator,
    governing_prefix,
    needed_permissions,
)
from registry.schemes.handle import Key, parse
from registry.values.admin import ALL_PERMISSIONS, Admin, AdminPermission, encode_admin
from registry.values.value import (
    ADMIN_READ,
    ADMIN_WRITE,
    PUBLIC_READ,
    PUBLIC_WRITE,
    Reference,
    Value,
    encode_record,
    encode_value,
)
from registry.values.vlist import encode_vlist

P = AdminPermission
KEY = Key("88.901.7", "BOT-1")
PREFIX_RECORD = Key("0.NA", "88.901.7")
ALICE = Identity(Key("88.901.7", "ALICE"), 300)
BOB = Identity(Key("88.901.7", "BOB"), 301)


def admin(name: str, index: int, permissions: P = ALL_PERMISSIONS, at: int = 100) -> Value:
    return Value(at, b"HS_ADMIN", encode_admin(Admin(name.encode(), index, permissions)))


def group(*members: tuple[str, int], at: int = 200) -> Value:
    references = [Reference(name.encode(), index) for name, index in members]
    return Value(at, b"HS_VLIST", encode_vlist(references))


class Records(dict[Key, list[Value]]):
    """Records by key, and how often one was read."""

    reads = 0

    def record(self, key: Key) -> bytes | None:
        self.reads += 1
        values = self.get(key)
        return None if values is None else encode_record(values)


def held(records: Records, identity: Identity, key: Key = KEY) -> P | None:
    return Rights(records.record).held(identity, key, records.record(key))


def test_an_administrator_named_by_the_record_itself():
    records = Records({KEY: [admin("88.901.7/alice", 300, P.READ_VALUE)]})
    assert held(records, ALICE) == P.READ_VALUE
    assert held(records, BOB) is None
    assert held(records, ALICE._replace(index=301)) is None


def test_index_0_names_every_key_of_a_handle():
    records = Records({KEY: [admin("88.901.7/ALICE", 0)]})
    assert held(records, ALICE) == held(records, ALICE._replace(index=7)) == ALL_PERMISSIONS


def test_what_several_values_grant_adds_up():
    grants = [admin("88.901.7/ALICE", 300, P.READ_VALUE), admin("88.901.7/ALICE", 0, P.ADD_VALUE)]
    assert held(Records({KEY: grants}), ALICE) == P.READ_VALUE | P.ADD_VALUE


def test_an_administrator_named_by_the_record_of_the_prefix():
    records = Records({PREFIX_RECORD: [admin("88.901.7/ALICE", 300, P.MODIFY_VALUE)], KEY: []})
    assert held(records, ALICE) == P.MODIFY_VALUE
    assert held(records, ALICE, Key("88.901.7", "NOT-THERE")) == P.MODIFY_VALUE
    assert held(records, ALICE, Key("88.901", "BOT-1")) is None


def test_an_administrator_named_where_the_bootstrap_administrator_is():
    records = Records({Key("88.901.7", "ADMIN"): [admin("88.901.7/ALICE", 300, P.ADD_HANDLE)]})
    assert held(records, ALICE) == P.ADD_HANDLE
    assert held(records, ALICE, PREFIX_RECORD) is None
    assert held(records, ALICE, Key("88.901.8", "BOT-1")) is None


def test_other_nodes_are_asked_only_where_rights_do_not_follow_from_this_one():
    here, everywhere = Records({KEY: [admin("88.901.7/ALICE", 300, P.READ_VALUE)]}), Records()
    everywhere.update(here)
    everywhere[PREFIX_RECORD] = [admin("88.901.7/ALICE", 300, P.DELETE_HANDLE)]
    rights = Rights(here.record, anywhere=everywhere.record)
    rights.need(ALICE, KEY, here.record(KEY), P.READ_VALUE)
    assert not everywhere.reads
    rights.need(ALICE, KEY, here.record(KEY), P.READ_VALUE | P.DELETE_HANDLE)
    with pytest.raises(NotPermitted):
        rights.need(ALICE, KEY, here.record(KEY), P.ADD_VALUE)
    with pytest.raises(NotAnAdministrator):
        rights.need(BOB, KEY, here.record(KEY), P.READ_VALUE)


def test_the_bootstrap_administrator_needs_no_record():
    chief = bootstrap_administrator("88.901.7")
    assert str(chief) == "300:88.901.7/ADMIN"
    assert held(Records(), chief) == ALL_PERMISSIONS
    assert held(Records(), chief._replace(index=301)) is None
    assert held(Records(), chief, Key("88.901", "X")) is None


@pytest.mark.parametrize(
    ("handle", "prefix"),
    [
        ("88.901/X", "88.901"),
        ("0.NA/88.901.7", "88.901"),
        ("0.NA/88", "0.NA"),
        ("0.NA/0.NA", "0.NA"),
    ],
)
def test_the_prefix_that_governs(handle: str, prefix: str):
    assert governing_prefix(parse(handle)) == prefix


def test_who_runs_the_node_may_do_everything_on_it():
    rights = Rights(Records().record, [ALICE])
    assert rights.held(ALICE, KEY, None) == ALL_PERMISSIONS
    rights.need_server(ALICE)
    with pytest.raises(NotAnAdministrator):
        rights.need_server(BOB)
    with pytest.raises(AuthenticationNeeded):
        rights.need_server(None)


def chain(length: int) -> Records:
    """An HS_ADMIN that leads to Alice through so many groups, each in the one before it."""
    records = Records({KEY: [admin("88.901.7/G1", 200)]})
    for number in range(1, length + 1):
        following = (
            ("88.901.7/ALICE", 300) if number == length else (f"88.901.7/G{number + 1}", 200)
        )
        records[Key("88.901.7", f"G{number}")] = [group(following)]
    return records


def test_groups_are_followed_so_deep_and_no_deeper():
    assert held(chain(MAX_DEPTH), ALICE) == ALL_PERMISSIONS
    assert held(chain(MAX_DEPTH + 1), ALICE) is None


def test_so_many_members_are_looked_at_and_no_more():
    others = [(f"88.901.7/P{number}", 300) for number in range(MAX_MEMBERS - 1)]
    records = Records({KEY: [admin("88.901.7/G", 200)]})
    records[Key("88.901.7", "G")] = [group(*others, ("88.901.7/ALICE", 300))]
    assert held(records, ALICE) == ALL_PERMISSIONS
    records[Key("88.901.7", "G")] = [group(*others, others[0], ("88.901.7/ALICE", 300))]
    assert held(records, ALICE) is None


def test_groups_that_contain_each_other_end():
    records = Records({KEY: [admin("88.901.7/G", 200)]})
    records[Key("88.901.7", "G")] = [group(("88.901.7/H", 200), ("88.901.7/G", 200))]
    records[Key("88.901.7", "H")] = [group(("88.901.7/g", 200), ("88.901.7/BOB", 301))]
    assert held(records, ALICE) is None
    assert held(records, BOB) == ALL_PERMISSIONS


def test_what_cannot_be_read_grants_nothing():
    records = Records(
        {
            KEY: [
                Value(100, b"HS_ADMIN", b"\x0f"),
                admin("\x00", 300, at=101),
                admin("88.901.7/G", 200, at=102),
                admin("88.901.7/GONE", 200, at=103),
                admin("88.901.7/BOB", 301, P.READ_VALUE, at=104),
            ],
            Key("88.901.7", "G"): [Value(200, b"HS_VLIST", b"\x00\x00\x00\x01")],
        }
    )
    assert held(records, ALICE) is None
    assert held(records, BOB) == P.READ_VALUE


names = st.sampled_from("ABCDEF")
members = st.lists(st.tuples(names.map("88.901.7/{}".format), st.integers(0, 3)), max_size=6)


@given(st.dictionaries(names, st.lists(members, max_size=3)), members)
def test_any_web_of_groups_is_bounded(web: dict[str, list[list[tuple[str, int]]]], start):
    records = Records(
        {
            Key("88.901.7", name): [group(*one, at=at + 1) for at, one in enumerate(groups)]
            for name, groups in web.items()
        }
    )
    records[KEY] = [admin(*reference, at=at) for at, reference in enumerate(start, 1)]
    found = held(records, ALICE)
    assert found is None
    assert records.reads <= 3 + len(start) * (MAX_GROUPS + 1)


URL, OTHER = Value(1, b"URL", b"a"), Value(1, b"URL", b"b")
OPEN = Value(1, b"URL", b"a", permissions=ADMIN_READ | ADMIN_WRITE | PUBLIC_READ | PUBLIC_WRITE)
FIXED = Value(1, b"URL", b"a", permissions=ADMIN_READ | PUBLIC_READ)
SECRET = Value(1, b"HS_SECKEY", b"secret", permissions=ADMIN_READ | ADMIN_WRITE)
CHIEF, DEPUTY = admin("88.901.7/ALICE", 300, at=1), admin("88.901.7/BOB", 301, at=1)


def pieces(*values: Value) -> dict[int, bytes]:
    return {value.index: encode_value(value) for value in values}


@pytest.mark.parametrize(
    ("before", "after", "needed"),
    [
        ([], [], P.MODIFY_VALUE),
        ([URL], [URL], P.MODIFY_VALUE),
        ([], [URL], P.ADD_VALUE),
        ([], [CHIEF], P.ADD_ADMIN),
        ([URL], [], P.REMOVE_VALUE),
        ([CHIEF], [], P.REMOVE_ADMIN),
        ([URL], [OTHER], P.MODIFY_VALUE),
        ([CHIEF], [DEPUTY], P.MODIFY_ADMIN),
        ([CHIEF], [URL], P.REMOVE_ADMIN | P.ADD_VALUE),
        ([URL], [CHIEF], P.REMOVE_VALUE | P.ADD_ADMIN),
        ([OPEN], [OTHER], P(0)),
        ([OPEN], [CHIEF], P.REMOVE_VALUE | P.ADD_ADMIN),
        ([OPEN], [Value(1, b"HS_SECKEY", b"b")], P.MODIFY_VALUE),
        ([OPEN], [], P.REMOVE_VALUE),
        ([URL], [Value(2, b"URL", b"")], P.REMOVE_VALUE | P.ADD_VALUE),
    ],
)
def test_what_a_change_takes(before: Sequence[Value], after: Sequence[Value], needed: P):
    assert needed_permissions(pieces(*before), pieces(*after)) == needed


def test_a_value_without_admin_write_cannot_be_changed():
    with pytest.raises(NotPermitted, match="read-only"):
        needed_permissions(pieces(FIXED), pieces(OTHER))


def outcome(identity: Identity | None, change: Change, granted: P, *there: Value) -> int:
    """The response code for a change where Alice was granted so much by the record itself."""
    before = pieces(admin("88.901.7/ALICE", 300, granted), *there) if there else None
    rights = Rights(Records().record)
    try:
        rights.check(identity, change, before, change.apply(before, 0))
    except Refusal as refusal:
        return refusal.outcome.handle
    return 1


@pytest.mark.parametrize(
    ("change", "enough"),
    [
        (Delete(KEY), P.DELETE_HANDLE),
        (ModifyValues(KEY, [OTHER]), P.MODIFY_VALUE),
        (RemoveValues(KEY, [1]), P.REMOVE_VALUE),
        (RemoveValues(KEY, [100]), P.REMOVE_ADMIN),
        (PutValues(KEY, [Value(2, b"", b"")]), P.ADD_VALUE),
        (PutValues(KEY, [OTHER]), P.MODIFY_VALUE),
    ],
)
def test_a_change_of_what_is_there(change: Change, enough: P):
    assert outcome(ALICE, change, enough, URL) == 1
    assert outcome(ALICE, change, ALL_PERMISSIONS & ~enough, URL) == 401
    assert outcome(BOB, change, ALL_PERMISSIONS, URL) == 400
    assert outcome(None, change, ALL_PERMISSIONS, URL) == 402


def test_replacing_takes_what_its_parts_take_or_deleting_and_creating():
    change = Create(KEY, [OTHER], overwrite=True)
    assert outcome(ALICE, change, P.MODIFY_VALUE | P.REMOVE_ADMIN, URL) == 1
    assert outcome(ALICE, change, P.MODIFY_VALUE, URL) == 401
    assert outcome(ALICE, change, P.DELETE_HANDLE | P.ADD_HANDLE, URL) == 400
    chief = bootstrap_administrator("88.901.7")
    assert outcome(chief, change, P(0), FIXED) == 1


def test_creating_takes_an_administrator_of_the_prefix():
    chief = bootstrap_administrator("88.901.7")
    assert outcome(chief, Create(KEY, [URL]), P(0)) == 1
    assert outcome(ALICE, Create(KEY, [URL]), P(0)) == 400
    assert outcome(None, Create(KEY, [URL]), P(0)) == 402
    derived = Create(Key("0.NA", "88.901.8"), [URL])
    assert outcome(bootstrap_administrator("88.901"), derived, P(0)) == 1
    assert outcome(bootstrap_administrator("88.901.8"), derived, P(0)) == 400


@pytest.mark.parametrize("kind", [Create, PutValues])
def test_nobody_finds_out_what_is_there_by_writing_the_same(kind: Any):
    """Neither strangers nor administrators who may only add values, nor by adding something too."""
    more = Value(9, b"NOTE", b"more")
    for there, guess in ((URL, URL), (SECRET, SECRET), (SECRET, replace(SECRET, data=b"guess"))):
        for added in ((), (more,)):
            granted = admin("88.901.7/ALICE", 300, P.ADD_VALUE)
            given = [granted, guess, *added] if kind is Create else [guess, *added]
            change = Create(KEY, given, overwrite=True) if kind is Create else PutValues(KEY, given)
            allowed = 1 if there is URL and added else 401
            assert outcome(ALICE, change, P.ADD_VALUE, there) == allowed
            assert outcome(BOB, change, P.ADD_VALUE, there) == 400
            assert outcome(None, change, P.ADD_VALUE, there) == 402
    modify = ModifyValues(KEY, [SECRET])
    assert [outcome(who, modify, P.ADD_VALUE, SECRET) for who in (ALICE, BOB, None)] == [
        401,
        400,
        402,
    ]


def test_what_takes_nothing_takes_nobody():
    assert outcome(None, ModifyValues(KEY, [OTHER]), P(0), OPEN) == 1
