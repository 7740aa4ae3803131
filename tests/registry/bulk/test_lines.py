"""Lines out of octets that come in any pieces."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from registry.bulk.lines import LineSplitter


def split(octets: bytes, sizes: Iterator[int], max_line: int) -> list[bytes | None]:
    splitter, lines, at = LineSplitter(max_line), [], 0
    for size in sizes:
        lines += splitter.feed(octets[at : at + size])
        at += size
    lines += splitter.feed(octets[at:])
    return lines + splitter.finish()


def expected(octets: bytes, max_line: int) -> list[bytes | None]:
    lines = octets.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line if len(line) <= max_line else None for line in lines]


@given(
    octets=st.lists(st.sampled_from([b"\n", b"a", b"bcd", b"\xef\xbb\xbf", b"\r\n", b"x" * 9])).map(
        b"".join
    ),
    sizes=st.lists(st.integers(1, 12)),
    max_line=st.integers(1, 12),
)
def test_the_pieces_do_not_matter(octets: bytes, sizes: list[int], max_line: int) -> None:
    assert split(octets, iter(sizes), max_line) == expected(octets, max_line)


def test_a_line_that_never_ends_takes_no_memory() -> None:
    splitter = LineSplitter(max_line=100)
    for _ in range(1000):
        assert splitter.feed(b"x" * 50) == []
    assert splitter.feed(b"\nnext\n") == [None, b"next"]
