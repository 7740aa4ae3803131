"""HTTP message signatures (RFC 9421) by which a node shows a node above it who it is.

One form only: method, path and the digest of the body (RFC 9530), RSASSA-PKCS1-v1_5 with SHA-256.
`keyid` is the prefix of the node, whose key stands in the record of that prefix one node up.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from registry.errors import AuthenticationFailed
from registry.values.key_objects import PublicKeyObject

#: Seconds by which the clocks of two nodes may differ.
WINDOW: Final = 300
_PARAMETERS: Final = (
    '("@method" "@path" "content-digest");created={created};keyid="{key}";alg="rsa-v1_5-sha256"'
)
_INPUT: Final = re.compile(
    r'sig=\("@method" "@path" "content-digest"\);created=([0-9]{1,12})'
    r';keyid="([0-9A-Z.]{1,64})";alg="rsa-v1_5-sha256"'
)
_SIGNATURE: Final = re.compile(r"sig=:([A-Za-z0-9+/=]{1,1400}):")


class Request(NamedTuple):
    """What is signed."""

    method: str
    path: str
    body: bytes


class Claim(NamedTuple):
    """Who says to have signed a request, and when (Unix time)."""

    prefix: str
    created: int


def sign(request: Request, prefix: str, key: RSAPrivateKey, now: int) -> dict[str, str]:
    """The headers that sign a request in the name of the node with a prefix."""
    parameters = _PARAMETERS.format(created=now, key=prefix)
    signature = key.sign(_base(request, parameters), PKCS1v15(), SHA256())
    return {
        "Content-Digest": _digest(request.body),
        "Signature-Input": f"sig={parameters}",
        "Signature": f"sig=:{base64.b64encode(signature).decode()}:",
    }


def claimed(headers: Mapping[str, str], now: int) -> Claim:
    """Who says to have signed. Raises AuthenticationFailed for nobody, or not now."""
    found = _INPUT.fullmatch(headers.get("Signature-Input", ""))
    if found is None:
        raise AuthenticationFailed("the request is not signed as it has to be")
    claim = Claim(found[2], int(found[1]))
    if abs(claim.created - now) > WINDOW:
        raise AuthenticationFailed("the signature is too old or from the future")
    return claim


def check(
    headers: Mapping[str, str], request: Request, claim: Claim, key: PublicKeyObject | None
) -> None:
    """Raise AuthenticationFailed unless the request was signed as claimed, by this key."""
    found = _SIGNATURE.fullmatch(headers.get("Signature", ""))
    parameters = _PARAMETERS.format(created=claim.created, key=claim.prefix)
    try:
        if found is None or not isinstance(key, RSAPublicKey):
            raise InvalidSignature
        signature = base64.b64decode(found[1], validate=True)
        key.verify(signature, _base(request, parameters), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        raise AuthenticationFailed("the request is not signed by a node below this one") from None


def _base(request: Request, parameters: str) -> bytes:
    """The signature base of RFC 9421 section 2.5. The digest is that of the body as it came."""
    lines = (
        f'"@method": {request.method}',
        f'"@path": {request.path}',
        f'"content-digest": {_digest(request.body)}',
        f'"@signature-params": {parameters}',
    )
    return "\n".join(lines).encode()


def _digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
