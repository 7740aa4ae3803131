"""The frames between the processes of a node: any of them, cut anywhere, and what is none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from resolver.codecs import link

NUMBERS = st.integers(0, 2**63 - 1)
OCTETS = st.binary(max_size=40)
PAIRS = st.tuples(st.text(), st.text())
KEYS = st.none() | st.lists(PAIRS, max_size=4).map(tuple)
LABELS = st.lists(PAIRS, max_size=2).map(tuple)
SAMPLES = st.lists(st.tuples(st.text(), LABELS, st.floats(allow_nan=False)), max_size=3).map(tuple)
FAMILIES = st.lists(st.builds(link.Family, st.text(), st.text(), st.text(), SAMPLES), max_size=3)

FROM_WRITER = st.one_of(
    st.builds(link.Welcome, NUMBERS, st.lists(st.text(), max_size=3).map(tuple)),
    st.builds(link.Changed, KEYS, st.booleans(), NUMBERS),
    st.builds(link.Part, NUMBERS, OCTETS),
    st.builds(link.Said, NUMBERS, st.none() | OCTETS),
    st.builds(link.Recount, NUMBERS),
)
FROM_WORKER = st.one_of(
    st.builds(link.Asked, NUMBERS, NUMBERS, st.text(), st.text(), OCTETS),
    st.builds(link.Taken, NUMBERS),
    st.builds(link.Left, NUMBERS),
    st.builds(link.Counted, NUMBERS, FAMILIES.map(tuple)),
)


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(octets) + 1) for place in places} | {len(octets)})
    return [octets[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(FROM_WRITER, max_size=8), st.lists(st.integers(0), max_size=6))
def test_a_worker_reads_what_the_writer_says(said, places):
    stream = link.from_writer()
    pieces = cut(b"".join(map(link.encode_frame, said)), places)
    assert [frame for piece in pieces for frame in stream.feed(piece)] == said


@given(st.lists(FROM_WORKER, max_size=8), st.lists(st.integers(0), max_size=6))
def test_the_writer_reads_what_a_worker_says(said, places):
    stream = link.from_worker()
    pieces = cut(b"".join(map(link.encode_frame, said)), places)
    assert [frame for piece in pieces for frame in stream.feed(piece)] == said


@given(st.binary(max_size=64))
def test_junk_is_refused_or_waited_for(junk):
    for stream in (link.from_writer(), link.from_worker()):
        with suppress(DecodeError):
            stream.feed(junk)


@pytest.mark.parametrize(
    "octets",
    [
        (link.MAX_FRAME + 1).to_bytes(4, "big"),
        b"\0\0\0\1\xc1",
        link.encode_frame(link.Taken(1)),  # no frame of a writer
    ],
)
def test_what_can_be_no_frame_is_refused(octets):
    with pytest.raises(DecodeError):
        link.from_writer().feed(octets)
