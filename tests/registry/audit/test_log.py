"""The audit log shows every way in which it can be tampered with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.audit.log import (
    GENESIS,
    Checkpoint,
    Entry,
    Event,
    Fault,
    Sealed,
    record_digest,
    seal,
    verify,
)


def log(count: int) -> list[Sealed]:
    entries = [
        Entry(
            number,
            1_700_000_000_000 + number,
            Event.IDENTIFIER_CREATED,
            "operator@88.901",
            "http 127.0.0.1",
            f"88.901/{number}",
            b"",
            record_digest(b"%d" % number),
        )
        for number in range(1, count + 1)
    ]
    return list(seal(entries, GENESIS))


def faults(entries, checkpoints=()) -> list[tuple[Fault, int]]:
    found = verify(entries, checkpoints, lambda checkpoint: checkpoint.signature == b"good")
    return [(finding.fault, finding.sequence) for finding in found]


def checkpoint(sealed: Sealed) -> Checkpoint:
    return Checkpoint("baijiu", sealed.entry.sequence, sealed.hash, 0, b"good")


def test_an_honest_log_has_no_faults():
    entries = log(10)
    assert faults(entries, [checkpoint(entries[4]), checkpoint(entries[9])]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"time": 1},
        {"event": Event.IDENTIFIER_DELETED},
        {"actor": "nobody"},
        {"origin": ""},
        {"subject": "88.901/X"},
        {"before": b"x"},
        {"after": bytes(32)},
        {"size": 2},
    ],
)
def test_a_changed_entry_is_found(changes):
    entries = log(5)
    entries[2] = entries[2]._replace(entry=entries[2].entry._replace(**changes))
    assert faults(entries) == [(Fault.BROKEN, 3)]


def test_a_rewritten_rest_of_the_log_is_found_by_a_checkpoint_only():
    honest = log(5)
    forged = honest[2].entry._replace(actor="nobody")
    rewritten = [*honest[:2], *seal([forged, honest[3].entry, honest[4].entry], honest[1].hash)]
    assert faults(rewritten) == []
    assert faults(rewritten, [checkpoint(honest[4])]) == [(Fault.REWRITTEN, 5)]


def test_removed_swapped_and_inserted_entries_are_found():
    entries = log(5)
    assert faults(entries[:2] + entries[3:]) == [(Fault.GAP, 4), (Fault.BROKEN, 4)]
    swapped = [entries[0], entries[2], entries[1], *entries[3:]]
    assert {sequence for _, sequence in faults(swapped)} == {2, 3, 4}
    inserted = [*entries[:3], entries[0], *entries[3:]]
    assert {sequence for _, sequence in faults(inserted)} == {1, 4}


def test_a_cut_tail_and_an_older_copy_are_found_by_a_checkpoint():
    entries = log(5)
    assert faults(entries[:3], [checkpoint(entries[4])]) == [(Fault.CUT, 5)]
    assert faults([], [checkpoint(entries[4])]) == [(Fault.CUT, 5)]


def test_a_checkpoint_that_nobody_signed_proves_nothing():
    entries = log(5)
    forged = checkpoint(entries[4])._replace(signature=b"bad", hash=bytes(32))
    assert faults(entries, [forged]) == [(Fault.UNSIGNED, 5)]


@given(st.data())
def test_any_flipped_bit_is_found(data):
    entries = log(6)
    place = data.draw(st.integers(0, 5))
    octet, bit = data.draw(st.integers(0, 31)), data.draw(st.integers(0, 7))
    sealed = entries[place]
    if data.draw(st.booleans()):
        flipped = bytearray(sealed.entry.after)
        flipped[octet] ^= 1 << bit
        entries[place] = sealed._replace(entry=sealed.entry._replace(after=bytes(flipped)))
    else:
        flipped = bytearray(sealed.hash)
        flipped[octet] ^= 1 << bit
        entries[place] = sealed._replace(hash=bytes(flipped))
    assert faults(entries)


texts = st.text(max_size=8)
entries_of_all_kinds = st.builds(
    Entry,
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
    texts,
    texts,
    texts,
    texts,
    st.binary(max_size=8),
    st.binary(max_size=8),
    st.integers(0, 2**32 - 1),
)


@given(entries_of_all_kinds, entries_of_all_kinds)
def test_different_entries_have_different_hashes(one, other):
    (first,), (second,) = seal([one], GENESIS), seal([other], GENESIS)
    assert (first.hash == second.hash) == (one == other)
