"""DNS over TCP: messages come out whole, however the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.codecs.dns.framing import Splitter, frame


@given(st.lists(st.binary(max_size=80)), st.lists(st.integers(1, 40)))
def test_messages_survive_any_cutting(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, messages))
    splitter = Splitter()
    out = []
    for cut in cuts:
        out += splitter.feed(stream[:cut])
        stream = stream[cut:]
    out += splitter.feed(stream)
    assert out == messages


def test_the_longest_message() -> None:
    splitter = Splitter()
    assert splitter.feed(b"\xff\xff" + bytes(65_534)) == []
    assert splitter.feed(b"\0\0\x01") == [bytes(65_535)]
    assert splitter.feed(b"a") == [b"a"] or splitter.feed(b"") == []


def test_an_empty_message_is_a_message() -> None:
    assert Splitter().feed(b"\0\0\0\x01a") == [b"", b"a"]
