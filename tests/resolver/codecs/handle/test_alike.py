"""Requests read as others like them are read as alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.codecs.handle.alike import Alike
from resolver.codecs.handle.bodies.resolution import ResolveRequest, encode_resolve_request
from resolver.codecs.handle.fast import cache_key, decode_plain_resolve
from resolver.codecs.handle.header import CT, PO
from resolver.codecs.handle.message import Message, encode_message

HANDLES = st.binary(max_size=3) | st.binary(min_size=200, max_size=600)


def asking(handle: bytes, types: tuple[bytes, ...] = (), flags: int = PO) -> bytes:
    body = encode_resolve_request(ResolveRequest(handle, (), types))
    return cache_key(encode_message(Message(1, body=body, op_flags=flags)))


ASKED = asking(b"88.901/A-1")


@given(
    st.lists(
        st.builds(
            asking,
            HANDLES,
            st.lists(st.sampled_from([b"A", b"B", b"CD"]), max_size=2).map(tuple),
            st.sampled_from([0, PO, CT]),
        )
    )
)
def test_requests_of_several_kinds(requests: list[bytes]) -> None:
    alike = Alike()
    for request in requests * 2:
        assert alike.read(request) == decode_plain_resolve(request)


@given(st.integers(0, len(ASKED) - 1), st.integers(0, 255))
def test_damaged_requests(at: int, octet: int) -> None:
    alike = Alike()
    damaged = ASKED[:at] + bytes([octet]) + ASKED[at + 1 :]
    for request in (ASKED, damaged, damaged, ASKED[:at], damaged + b"x", ASKED + b"\0" * 4, ASKED):
        assert alike.read(request) == decode_plain_resolve(request)


def test_it_remembers_within_bounds() -> None:
    alike = Alike()
    for flags in range(3000):
        request = asking(b"88.901/A", flags=flags << 4)
        assert alike.read(request) == decode_plain_resolve(request)
