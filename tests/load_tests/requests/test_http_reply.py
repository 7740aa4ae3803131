"""HTTP replies come out of a stream whole, however it is cut, and junk is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from load_tests.requests.http_reply import MAX_HEAD, NotHttp, Reply, ReplyReader

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length:  5 \r\n\r\nhello"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: https://example.org/\r\nContent-Length: 0\r\n\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"
)
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
REPLIES = {
    PLAIN: Reply(200, b"", b"hello", False),
    REDIRECT: Reply(302, b"https://example.org/", b"", False),
    CHUNKED: Reply(200, b"", b"hello", True),
    EMPTY: Reply(204, b"", b"", False),
}


@given(st.lists(st.sampled_from([*REPLIES]), min_size=1, max_size=3), st.data())
def test_replies_are_read_however_they_are_cut(octets: list[bytes], drawn: st.DataObject) -> None:
    reader = ReplyReader()
    for reply in octets:
        cuts = sorted(drawn.draw(st.lists(st.integers(0, len(reply)), max_size=4)))
        *early, last = [
            reader.feed(reply[start:end])
            for start, end in zip([0, *cuts], [*cuts, len(reply)], strict=True)
        ]
        found = [one for one in (*early, last) if one is not None]
        assert found == [REPLIES[reply]]


def test_the_content_of_a_reply_is_what_repeats() -> None:
    assert REPLIES[PLAIN].content == b"200 \nhello"
    assert REPLIES[REDIRECT].content == b"302 https://example.org/\n"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x02\x0b\x00\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "999999999"),
        (PLAIN + b"!", "more came"),
        (b"x" * (MAX_HEAD + 1), "does not end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n", "chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", "end"),
    ],
)
def test_what_cannot_be_read_is_named(octets: bytes, why: str) -> None:
    with pytest.raises(NotHttp, match=why):
        ReplyReader().feed(octets)


@given(st.binary(max_size=200))
def test_junk_raises_nothing_else(junk: bytes) -> None:
    reader = ReplyReader()
    for data in (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + junk, junk):
        try:
            reader.feed(data)
        except NotHttp:
            return
