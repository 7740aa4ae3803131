"""Which octets are one plain request: nothing that could be read in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.codecs.plain_http import MAX_SECTIONS, PlainRequests, dated, target_of, undated

LINE = b"GET /api/handles/88.901/A-1?type=URL HTTP/1.1"
CURL = b"Host: 127.0.0.1:2672\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"


def request(headers: bytes = CURL, line: bytes = LINE) -> bytes:
    return line + b"\r\n" + headers + b"\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Host: a\r\n",
        CURL,
        CURL + b"Connection: keep-alive\r\nAccept-Encoding: gzip, deflate\r\n",
        CURL + b"Sec-Fetch-Mode: navigate\r\nDNT: 1\r\nCache-Control: no-cache\r\n",
        b"accept: */*\r\nhost:\ta b\r\n",
    ],
)
def test_plain_requests(headers):
    assert PlainRequests().line_of(request(headers)) == LINE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        request()[:-1],
        request()[:-2],
        request() + b"G",
        request() * 2,
        request(b""),
        request(CURL + b"Host: b\r\n"),
        request(CURL + b"Host : b\r\n"),
        request(CURL + b" folded: b\r\n"),
        request(CURL + b"Content-Length: 0\r\n"),
        request(CURL + b"Content-Length: 5\r\n") + b"hello",
        request(CURL + b"Transfer-Encoding: chunked\r\n"),
        request(CURL + b"Connection: close\r\n"),
        request(CURL + b"Connection: keep-alive, upgrade\r\n"),
        request(CURL + b"Connection: upgrade\r\nUpgrade: h2c\r\n"),
        request(CURL + b"Authorization: Basic eDp5\r\n"),
        request(CURL + b"Origin: https://example.org\r\n"),
        request(CURL + b"Expect: 100-continue\r\n"),
        request(CURL + b"Cookie: a\r\n"),
        request(CURL + b"X-Unknown: a\r\n"),
        request(CURL + b"Accept: \x00\r\n"),
        request(CURL + b"Accept: a\nContent-Length: 5\r\n"),
        request(CURL + b"Accept: a\rb\r\n"),
        request(CURL.replace(b"\r\n", b"\n")),
        request(line=b"POST /api/handles/88.901/A-1 HTTP/1.1"),
        request(line=b"GET /api/site HTTP/1.1"),
        request(CURL + b"Referer: " + b"x" * 5000 + b"\r\n"),
    ],
)
def test_everything_else_is_left_to_the_full_server(data):
    assert PlainRequests().line_of(data) is None


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace(b"1.1", b"1.0"),
        LINE.replace(b"A-1", b"A 1"),
        LINE.replace(b"A-1", b"A#1"),
        LINE.replace(b"A-1", b"A\x001"),
        LINE.replace(b"A-1", "白".encode()),
        LINE + b" ",
        LINE + b"\n",
        b"GET /api/handles/ HTTP/1.1",
        b"GET /api/handles/" + b"x" * 5000 + b" HTTP/1.1",
    ],
)
def test_targets_are_read_strictly(line):
    assert target_of(line) is None


def test_the_target():
    assert target_of(LINE) == "/api/handles/88.901/A-1?type=URL"


def test_sections_are_remembered_within_bounds():
    requests = PlainRequests()
    for number in range(3 * MAX_SECTIONS):
        assert requests.line_of(request(b"Host: %d\r\n" % number)) == LINE
        assert requests.line_of(request(b"X: %d\r\n" % number)) is None


@given(st.binary(max_size=200), st.integers(0, 300))
def test_nothing_can_be_put_into_a_plain_request_unseen(junk, at):
    whole = request()
    data = whole[:at] + junk + whole[at:]
    line = PlainRequests().line_of(data)
    if line is not None:
        assert data.count(b"\r\n\r\n") == 1
        assert data.endswith(b"\r\n\r\n")
        assert data.startswith(line + b"\r\n")


def test_a_reply_and_its_date():
    reply = undated(404, {"Content-Type": "application/json"}, b"{}", "node")
    assert dated(reply, b"Date: today\r\n") == (
        b"HTTP/1.1 404 Not Found\r\nDate: today\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\nServer: node\r\n\r\n{}"
    )
