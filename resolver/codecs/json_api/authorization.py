"""Who somebody says they are: `Authorization` of the schemes Basic and Handle, and certificates.

Basic (RFC 7617) has the percent-encoded administrator `index:handle` as user name and its secret
key as password. Handle has parameters: the session and, to prove an identity in it, `id`, `type`
(HS_SECKEY or HS_PUBKEY), `cnonce`, `alg`, `signature` over the server's nonce and cnonce, and for
PBKDF2 `salt`, `iterations`, `length` in bits; `clientCert="true"` points to the TLS certificate.

    read_authorization(text) -> Basic | Login | Unreadable
    read_verification(named, params) -> VerifyRequest        raises DecodeError
    read_administrator(text) -> (handle, index)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from registry.errors import DecodeError, InvalidCredential
from registry.values.json_members import MAX_U32, octets_from_base64
from registry.values.wire import string, u32
from resolver.codecs.handle.bodies.authentication import ChallengeAnswer, VerifyRequest
from resolver.codecs.handle.keyed_digest import PBKDF2_HMAC_SHA1, code_of
from resolver.codecs.http_parameters import Params, as_octets, as_text, read_index

SECRET_KEY, PUBLIC_KEY = "HS_SECKEY", "HS_PUBKEY"
_PARAMETER: Final = re.compile(
    r"""[ \t,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*"""
    r"""=[ \t]*("(?:[^"\\]|\\.)*"|[^ \t",]+)[ \t]*(?:,|$)"""
)
_QUOTED_PAIR: Final = re.compile(r"\\(.)")
#: What says that an identity is to be proved.
_OF_A_PROOF: Final = frozenset(("id", "type", "alg", "signature"))
_NEEDED_FOR_PROOF: Final = ("id", "type", "alg", "cnonce", "signature")
_STRETCHED: Final = ("salt", "iterations", "length")
#: Names of hashes that peers use besides the usual ones, without hyphens.
_ALIASES: Final = {b"SHA": b"SHA1", b"SHA2": b"SHA256"}


@dataclass(frozen=True, slots=True)
class Basic:
    """A secret itself, and whose it is said to be."""

    handle: bytes
    index: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An Authorization header of another scheme, or broken."""


@dataclass(frozen=True, slots=True)
class Login:
    """The parameters of the scheme Handle by lower-case name."""

    members: Mapping[str, str]

    @property
    def session_id(self) -> str | None:
        return self.members.get("sessionid")

    @property
    def proves(self) -> bool:
        """Whether it is meant to prove an identity."""
        return not _OF_A_PROOF.isdisjoint(self.members)

    @property
    def certificate(self) -> bool | None:
        """Whether the TLS certificate is to count; None where that is not said."""
        said = self.members.get("clientcert")
        return None if said is None else said.lower() == "true"

    def proof(self) -> tuple[ChallengeAnswer, bytes]:
        """The answer to the session's nonce, in its binary form, and the client's nonce.

        Raises InvalidCredential where something is missing or unknown.
        """
        if any(name not in self.members for name in _NEEDED_FOR_PROOF):
            raise InvalidCredential("Missing fields in authentication data")
        handle, index = read_administrator(as_octets(self.members["id"]))
        kind = self.members["type"].upper()
        try:
            answer = _answer(kind, self.members)
            nonce = octets_from_base64(self.members["cnonce"])
        except (DecodeError, ValueError):
            raise InvalidCredential("Authentication data that cannot be read") from None
        return ChallengeAnswer(kind.encode(), handle, index, answer), nonce


def read_authorization(text: str) -> Basic | Login | Unreadable:
    """What an Authorization header says."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() == "basic":
        return _basic(rest.strip())
    if scheme.lower() == "handle":
        return _login(rest.strip())
    return Unreadable()


def read_verification(named: bytes, params: Params) -> VerifyRequest:
    """The proof of a secret key in the path and query of /api/verifications. Raises DecodeError."""
    if not named:
        raise DecodeError("Handle not specified in verification request")
    members = {name: as_text(values[0]) for name, values in params.items()}
    if any(name not in members for name in ("nonce", "cnonce", "alg", "signature")):
        raise DecodeError("Missing parameters in verification request")
    handle, index = _verified_administrator(named, params.get("index", []))
    try:
        answer = _answer(SECRET_KEY, members)
        nonce, cnonce = (octets_from_base64(members[name]) for name in ("nonce", "cnonce"))
    except ValueError:
        raise DecodeError("Parameters of the verification request are not base64") from None
    return VerifyRequest(handle, index, nonce, cnonce, answer)


def read_administrator(text: bytes) -> tuple[bytes, int]:
    """The handle and index in `index:handle`; 0 stands for any index where there is none."""
    digits, colon, handle = text.partition(b":")
    if colon and digits.isdigit() and len(digits) <= 10 and int(digits) <= MAX_U32:
        return handle, int(digits)
    return text, 0


def handle_challenge(session_id: str, nonce: bytes) -> str:
    """The challenge of the scheme Handle for WWW-Authenticate."""
    return f'Handle sessionId="{session_id}", nonce="{base64.b64encode(nonce).decode()}"'


def _basic(credentials: str) -> Basic | Unreadable:
    try:
        user, colon, secret = octets_from_base64(credentials).partition(b":")
    except ValueError:
        return Unreadable()
    if not colon:
        return Unreadable()
    return Basic(*read_administrator(unquote_to_bytes(user)), secret)


def _login(text: str) -> Login | Unreadable:
    members: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            return Unreadable()
        name, member = found[1].lower(), found[2]
        if member.startswith('"'):
            member = _QUOTED_PAIR.sub(r"\1", member[1:-1])
        members[name] = as_text(unquote_to_bytes(as_octets(member))) if name == "id" else member
        at = found.end()
    return Login(members) if members else Unreadable()


def _answer(kind: str, members: Mapping[str, str]) -> bytes:
    """The answer as the native protocol has it. Raises DecodeError or ValueError."""
    signature = octets_from_base64(members["signature"])
    hash_name = members["alg"].upper().replace("-", "").encode()
    hash_name = _ALIASES.get(hash_name, hash_name)
    if kind == PUBLIC_KEY:
        return string(hash_name) + string(signature)
    if kind != SECRET_KEY:
        raise DecodeError(f"Keys of type {kind[:20]!r} are not known")
    code = code_of(hash_name)
    if code == PBKDF2_HMAC_SHA1 and all(name in members for name in _STRETCHED):
        salt = octets_from_base64(members["salt"])
        iterations, bits = (read_index(members[name].encode()) for name in _STRETCHED[1:])
        signature = string(salt) + u32(iterations) + u32(bits) + string(signature)
    return bytes([code]) + signature


def _verified_administrator(named: bytes, indexes: list[bytes]) -> tuple[bytes, int]:
    handle, index = read_administrator(named)
    if not indexes:
        if not index:
            raise DecodeError("No index provided")
        return handle, index
    if index or len(indexes) > 1:
        raise DecodeError("Too many indexes specified in verification request")
    return handle, read_index(indexes[0])
