"""The way from a signature up to a trust root: whose key made it, who says so, and may they.

A certificate (HS_CERT) names its subject, which is the issuer of what lies below it. The last one
is self-issued at a trust root and holds a key that is known beforehand. Everything that an attacker
can lengthen is bounded; nothing is looked up or checked twice.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from registry.errors import DecodeError
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key
from registry.trust import jws
from registry.trust.claims import (
    CertificateClaims,
    Claims,
    ValueName,
    decode_claims,
    public_key,
    value_name,
)
from registry.trust.digests import CERTIFICATE
from registry.trust.jws import Jws
from registry.trust.permissions import covers
from registry.trust.problems import Problem, Untrusted
from registry.values.key import PublicKey
from registry.values.key_objects import PublicKeyObject
from registry.values.value import Value, decode_record, type_matches

MAX_SIGNATURE_CHECKS: Final = 8
MAX_LOOKUPS: Final = 8
#: Most certificates in a chain, the root's among them.
MAX_CHAIN: Final = 6
#: Most certificates that are tried for one subject, the latest first.
MAX_KEYS: Final = 2


class TrustRoot(NamedTuple):
    """A key that is believed without a certificate, and the identifier it belongs to."""

    key: Key
    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class Terms:
    """What a chain is held against: known roots, the time (Unix seconds), the name rules."""

    roots: Sequence[TrustRoot]
    now: float
    rules: HandleRules = DEFAULT_RULES


class Certificate(NamedTuple):
    """An HS_CERT taken apart, not checked."""

    jws: Jws
    claims: CertificateClaims
    subject: ValueName
    numbers: PublicKey
    public_key: PublicKeyObject


@dataclass(slots=True)
class Effort:
    """What one verification has done so far: it is bounded, and need not be done again."""

    checked: dict[tuple[bytes, bytes, bytes], bool] = field(default_factory=dict)
    records: dict[Key, bytes | None] = field(default_factory=dict)


#: Yields the identifiers whose records are needed; is sent the record, None where there is none.
Walk: TypeAlias = Generator[Key, bytes | None, tuple[Certificate, ...]]


def climb(signature: Jws, claims: Claims, signed: Key, terms: Terms, effort: Effort) -> Walk:
    """The certificates from the issuer of a signature up to a root, each one found to be good.

    `signed` is the identifier that every one of them must permit. Raises Untrusted.
    """
    found: list[Certificate] = []
    places: Sequence[str] = ()
    child, issued = signature, claims
    while True:
        places = places or issued.chain
        issuer = _name(issued.iss, terms)
        place = _name(places[0], terms) if places else ValueName(0, issuer.key)
        record = yield from _record(place.key, effort)
        certificate = _signer(child, _candidates(record, place, issuer, terms), effort)
        found.append(certificate)
        _check_grant(certificate, signed, terms)
        above = _name(certificate.claims.iss, terms)
        if above == certificate.subject:
            _check_root(certificate, terms, effort)
            return tuple(found)
        if any(above == below.subject for below in found):
            raise Untrusted(Problem.LOOP, f"the chain comes back to {above}")
        if len(found) == MAX_CHAIN:
            raise Untrusted(Problem.CHAIN_TOO_LONG, f"more than {MAX_CHAIN} certificates")
        child, issued, places = certificate.jws, certificate.claims, places[1:]


def check_times(claims: Claims, now: float) -> None:
    """Hold the times of a signature or a certificate against the present. Raises Untrusted."""
    if claims.exp is not None and now > claims.exp:
        raise Untrusted(Problem.EXPIRED, f"what {claims.iss} signed has expired")
    if claims.nbf is not None and now < claims.nbf:
        raise Untrusted(Problem.NOT_YET_VALID, f"what {claims.iss} signed is not valid yet")


def _record(key: Key, effort: Effort) -> Generator[Key, bytes | None, tuple[Value, ...]]:
    """The values of an identifier, looked up once."""
    if key not in effort.records:
        if len(effort.records) == MAX_LOOKUPS:
            raise Untrusted(Problem.TOO_MUCH_WORK, f"more than {MAX_LOOKUPS} records to look up")
        effort.records[key] = None  # stays if whoever looks it up throws Untrusted instead
        effort.records[key] = yield key
    record = effort.records[key]
    return () if record is None else decode_record(record)


def _candidates(
    values: Sequence[Value], place: ValueName, issuer: ValueName, terms: Terms
) -> list[Certificate]:
    """The latest certificates of the issuer at the place. Raises Untrusted if there are none."""
    there = [
        value.data
        for value in values
        if type_matches(CERTIFICATE, value.type) and place.index in (0, value.index)
    ]
    read = sorted(_about(issuer, there, terms), key=lambda pair: pair[1].iat or 0, reverse=True)
    if not read:
        raise Untrusted(Problem.NO_CERTIFICATE, f"there is no certificate of {issuer} at {place}")
    try:
        return [
            Certificate(signed, claims, issuer, *public_key(claims))
            for signed, claims in read[:MAX_KEYS]
        ]
    except DecodeError as error:
        raise Untrusted(Problem.MALFORMED, f"the key of {issuer}: {error.message}") from None


def _about(
    subject: ValueName, certificates: Iterable[bytes], terms: Terms
) -> Iterator[tuple[Jws, CertificateClaims]]:
    """Those about the subject; what is no certificate is passed over, anybody may have put it."""
    for text in certificates:
        try:
            read = jws.decode(text)
            claims = decode_claims(read.payload, CertificateClaims)
            if value_name(claims.sub, terms.rules) == subject:
                yield read, claims
        except DecodeError:
            continue


def _signer(child: Jws, candidates: Sequence[Certificate], effort: Effort) -> Certificate:
    """The certificate whose key made the signature. Raises Untrusted if none did."""
    fitting = [one for one in candidates if jws.algorithm_of(one.public_key) == child.algorithm]
    if not fitting:
        raise Untrusted(
            Problem.WRONG_ALGORITHM,
            f"{child.algorithm} is not the algorithm of the key of {candidates[0].subject}",
        )
    for certificate in fitting:
        if _verifies(child, certificate, effort):
            return certificate
    raise Untrusted(
        Problem.BAD_SIGNATURE, f"the key of {candidates[0].subject} did not make the signature"
    )


def _verifies(child: Jws, certificate: Certificate, effort: Effort) -> bool:
    pair = (child.signed, child.signature, certificate.jws.signed)
    if pair not in effort.checked:
        if len(effort.checked) == MAX_SIGNATURE_CHECKS:
            raise Untrusted(
                Problem.TOO_MUCH_WORK, f"more than {MAX_SIGNATURE_CHECKS} signatures to check"
            )
        effort.checked[pair] = jws.verifies(child, certificate.public_key)
    return effort.checked[pair]


def _check_grant(certificate: Certificate, signed: Key, terms: Terms) -> None:
    check_times(certificate.claims, terms.now)
    if not covers(certificate.claims.perms, signed, terms.rules):
        raise Untrusted(Problem.NOT_PERMITTED, f"{certificate.subject} may not sign {signed}")


def _check_root(certificate: Certificate, terms: Terms, effort: Effort) -> None:
    """A self-issued certificate is good if it holds a root's key, and that key made it."""
    if TrustRoot(certificate.subject.key, certificate.numbers) not in terms.roots:
        raise Untrusted(
            Problem.UNTRUSTED_ROOT, f"{certificate.subject} is no trust root known here"
        )
    _signer(certificate.jws, [certificate], effort)


def _name(text: str, terms: Terms) -> ValueName:
    try:
        return value_name(text, terms.rules)
    except DecodeError as error:
        raise Untrusted(Problem.MALFORMED, error.message) from None
