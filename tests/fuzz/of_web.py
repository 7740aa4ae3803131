"""Decoders of what comes over HTTP: the JSON API, credentials, the web proxy, uploaded rows."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from registry.bulk.lines import LineSplitter
from registry.bulk.rows import RefusedRow, RowReader
from registry.errors import DecodeError, InvalidCredential, InvalidIdentifier
from registry.json_text import read_json
from registry.schemes.handle import DEFAULT_RULES
from registry.values.value import decode_record
from resolver.codecs import http_parameters
from resolver.codecs.json_api.authorization import (
    Login,
    read_authorization,
    read_verification,
)
from resolver.codecs.json_api.reply import Reply
from resolver.codecs.json_api.request import JSON_TYPE, Request, decode
from resolver.codecs.proxy import request as proxy
from resolver.codecs.proxy.targets import appended, own_path, safe_url
from tests.fuzz.invariants import Target, in_pieces, only
from tests.fuzz.seeds import documents, texts

_ROW = (
    b'{"identifier":"88.901/X-1","values":[{"index":1,"type":"URL","data":"https://a.example/"},'
    b'{"index":2,"type":"NOTE","data":{"format":"string","value":"n"},"ttl":60}]}'
)
#: The same with something out of the ordinary in it.
_ROWS = [
    _ROW.replace(*change)
    for change in (
        (b"/X-1", b""),
        (b"60", b"null"),
        (b'"n"', b'"n","x":0'),
        (b'"n"', b'"\\u0022:"'),
        (b'"ttl"', b'"permissions"'),
        (b'"index":2', b'"index":2,"index":1'),
        (b"NOTE", b"HS_NAMESPACE"),
        (b"X-1", "瓶".encode()),
    )
]


def _lines(data: bytes, count: int) -> list[str]:
    """Texts as a server gets them: octets beyond ASCII as surrogates."""
    lines = data.split(b"\n", count - 1)
    return [each.decode("utf-8", "surrogateescape") for each in lines] + [""] * (count - len(lines))


def ask_api(data: bytes) -> None:
    """A request to the JSON API is understood or refused with a status; nothing raises."""
    method, target, body = _lines(data, 3)
    octets = body.encode("utf-8", "surrogateescape")
    asked = decode(Request(method, target, JSON_TYPE, octets, secure=True))
    assert not isinstance(asked, Reply) or 200 <= asked.status < 600


def authorize(data: bytes) -> None:
    """Who somebody says they are is read, or is not; a proof is complete or invalid."""
    (text,) = _lines(data, 1)
    said = read_authorization(text)
    if isinstance(said, Login):
        with suppress(InvalidCredential):
            said.proof()


def ask_verification(data: bytes) -> None:
    """A proof in a query is read or refused."""
    named, _, query = data.partition(b"?")
    with suppress(DecodeError):
        read_verification(named, http_parameters.read_form(query))


def ask_proxy(data: bytes) -> None:
    """A request to the web proxy is understood or refused."""
    target, accept, language, form = _lines(data, 4)
    octets = form.encode("utf-8", "surrogateescape")
    for method in ("GET", "POST"):
        asked = proxy.Request(method, target, "http://a.example", accept, language, form=octets)
        with suppress(DecodeError, InvalidIdentifier):
            found = proxy.read_request(asked)
            assert found.language in ("en", "zh")
        proxy.fallback_language(asked)


def redirect(data: bytes) -> None:
    """A browser is sent to a plain ASCII address on the host that was registered, or nowhere."""
    text, _, append = data.decode("utf-8", "replace").partition("\n")
    url = safe_url(text)
    if url is not None:
        assert url.isascii()
        assert url.isprintable()
        assert safe_url(url) == url
        with suppress(DecodeError):
            longer = appended(text, append)
            assert longer is not None
            assert urlsplit(longer)[:2] == urlsplit(url)[:2]
    assert own_path(text).isascii()


def read_lines(data: bytes) -> None:
    """An upload is cut into the same lines whatever pieces it comes in."""
    whole, pieces = LineSplitter(max_line=64), LineSplitter(max_line=64)
    found = [*whole.feed(data), *whole.finish()]
    cut = [line for piece in in_pieces(data) for line in pieces.feed(piece)] + pieces.finish()
    assert cut == found
    assert all(line is None or len(line) <= 64 for line in found)


def read_row(data: bytes) -> None:
    """The short way to a row gives what the long way gives."""
    practised = RowReader(DEFAULT_RULES, lambda key: None, now=1)
    practised.read(_ROW)
    rows = []
    for reader in (practised, RowReader(DEFAULT_RULES, lambda key: None, now=1)):
        try:
            rows.append(reader.read(data))
            decode_record(rows[-1].record)
        except RefusedRow as refused:
            rows.append((refused.asked, str(refused)))
    assert rows[0] == rows[1]


def _asked(name: str) -> list[bytes]:
    requests = [case["request"] for case in documents(name)]
    return [f"{one['method']}\n{one['path']}\n{one['body'] or ''}".encode() for one in requests]


_SAID = [text.encode() for text in texts("json_api", "Authorization")]
_PROOFS = [
    path.rpartition("/")[2].encode() for path in texts("json_api", "path") if "nonce" in path
]

TARGETS = {
    "json": Target(
        only(read_json, DecodeError), [text.encode() for text in texts("json_api", "body")]
    ),
    "json-api": Target(ask_api, _asked("json_api")),
    "authorization": Target(authorize, _SAID),
    "verification": Target(ask_verification, _PROOFS),
    "proxy": Target(
        ask_proxy, [f"{path}\n*/*\nzh".encode() for path in texts("proxy_http", "path")]
    ),
    "redirect": Target(redirect, [b"https://a.example/x?y=1#z\n&w=2", b"mailto:a@b.example"]),
    "lines": Target(read_lines, [b"\xef\xbb\xbf" + _ROW + b"\n\r\n{}\n" + bytes(70) + b"\n"]),
    "row": Target(read_row, [_ROW, *_ROWS]),
}
