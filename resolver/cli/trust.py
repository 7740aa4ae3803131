"""`idnode resolve --verify`: whose keys are believed, and the verdicts in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import click
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from registry import outcomes
from registry.clock import SystemClock
from registry.errors import DecodeError, Refusal
from registry.schemes.handle import TRUST_ROOT, Key, parse
from registry.trust.chain import TrustRoot
from registry.trust.verification import Report
from registry.values.json_members import Members
from registry.values.key import PublicKey, decode_public_key, public_key_from_json
from registry.values.key_objects import public_numbers
from registry.values.site import decode_site
from resolver.cli.ask import Question, Resolution, ask_handle, resolution, selected
from resolver.cli.errors import NobodyAnswered
from resolver.cli.running import read_running
from resolver.key_hierarchy import trust_root
from resolver.query import Answer, Refused, Values
from resolver.verification import Verifier

_SCHEMES: Final = ("hdl", "hdl+udp", "hdl+tcp")


async def resolve_verified(
    via: str, question: Question, roots: Sequence[TrustRoot]
) -> tuple[Resolution, Report | None]:
    """What the Handle server at `via` says, and the verdict on all values if there are any.

    Octets are what is signed, so the forms of other protocols will not do. Raises NobodyAnswered;
    ValueError for a URL of another scheme.
    """
    url = urlsplit(via)
    if url.scheme not in _SCHEMES or not url.hostname:
        wanted = " or ".join(f"{scheme}://host:port" for scheme in _SCHEMES)
        raise ValueError(f"{via!r}: with --verify, {wanted} is needed")
    answer = await ask_handle(url, replace(question, types=(), indexes=()))
    if not isinstance(answer, Values):
        return resolution(answer), None
    verifier = Verifier(lambda key: _look_up(url, key, question.timeout), roots, SystemClock())
    report = await verifier.verify(parse(question.identifier), answer.record)
    return selected(resolution(answer), question), report


async def _look_up(url: SplitResult, key: Key, seconds: float) -> Answer:
    try:
        return await ask_handle(url, Question(str(key), timeout=seconds))
    except NobodyAnswered:
        return Refused(outcomes.UPSTREAM_TIMEOUT)


def known_roots(data: Path, given: Sequence[str]) -> list[TrustRoot]:
    """The trust roots given as `[IDENTIFIER=]FILE`, or else the running topology's own.

    Raises NobodyAnswered where there is neither, click.BadParameter for a file that will not do.
    """
    if given:
        return [_given_root(text) for text in given]
    root = next((node for node in read_running(data).nodes if node.role == "root"), None)
    if root is None:
        raise NobodyAnswered("the running topology has no root: name its key with --trust-root")
    try:
        return [trust_root(decode_site((data / root.name / "site.bin").read_bytes()))]
    except (OSError, DecodeError) as error:
        reason = f"the key of the root cannot be read ({error}): name it with --trust-root"
        raise NobodyAnswered(reason) from None


def _given_root(text: str) -> TrustRoot:
    identifier, equals, name = text.partition("=")
    if not equals or Path(text).exists():
        identifier, name = TRUST_ROOT, text
    try:
        return TrustRoot(parse(identifier), read_public_key(Path(name).read_bytes()))
    except (OSError, Refusal) as error:
        raise click.BadParameter(f"{text}: {error}", param_hint="--trust-root") from None


def read_public_key(content: bytes) -> PublicKey:
    """A public key in PEM, as a JSON Web Key, or in the Handle binary form. Raises Refusal."""
    if content.lstrip().startswith(b"{"):
        return public_key_from_json(Members(_json(content)))
    if not content.startswith(b"-----BEGIN"):
        return decode_public_key(content)
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DecodeError(f"the PEM cannot be read: {error}") from None
    if not isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        raise DecodeError("an RSA or a DSA key is needed")
    return public_numbers(key)


def _json(content: bytes) -> object:
    try:
        found: object = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"the JSON cannot be read: {error}") from None
    return found


def verdicts(report: Report) -> dict[int, str]:
    """Index -> verified, bad, missing or unsigned; nothing for what need not be signed."""
    values = report.values
    groups = {"unsigned": values.unsigned, "verified": values.verified}
    groups |= {"missing": values.missing, "bad": values.bad}
    return {index: verdict for verdict, indexes in groups.items() for index in indexes}


def complaints(report: Report) -> Iterator[str]:
    """Why a record is not trusted, a line for each reason."""
    for verdict, indexes in (
        ("bad", report.values.bad),
        ("missing", report.values.missing),
        ("unsigned", report.values.unsigned),
    ):
        if indexes:
            yield f"{verdict}: {', '.join(map(str, indexes))}"
    for signature in report.signatures:
        if not signature.trusted:
            yield f"signature {signature.index}: {signature.problem}: {signature.detail}"
