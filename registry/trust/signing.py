"""Making signatures and certificates, and keeping the signature of a record in step with it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

from msgspec.structs import replace

from registry.errors import DecodeError
from registry.schemes.handle import Key
from registry.trust import jws
from registry.trust.claims import (
    CertificateClaims,
    Permission,
    SignatureClaims,
    ValueName,
    decode_claims,
    encode_claims,
)
from registry.trust.digests import SIGNATURE, digests_of
from registry.values.key import PublicKey, public_key_to_json
from registry.values.key_objects import PrivateKeyObject
from registry.values.value import (
    Span,
    Value,
    decode_value,
    encode_value,
    join_spans,
    scan,
    type_matches,
)
from registry.values.wire import u32

#: Where the public key and the certificate of a prefix lie in its record.
KEY_INDEX: Final = 300
CERTIFICATE_INDEX: Final = 400
#: Signatures take the first free index from here on.
SIGNATURE_INDEX: Final = 400
_DAY: Final = 86_400
#: Seconds that a signature or a certificate is good for.
VALIDITY: Final = 3650 * _DAY
#: Validity begins this much before the signature is made, for verifiers whose clocks are behind.
_CLOCK_SKEW: Final = _DAY
#: A certificate is renewed when it is good for less than this.
_RENEWAL: Final = 365 * _DAY


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, the name of the public one, and where its certificate lies."""

    name: ValueName
    key: PrivateKeyObject

    def sign(self, identifier: Key, record: bytes, now: int) -> bytes:
        """The data of an HS_SIGNATURE over the values of a well-formed record."""
        claims = SignatureClaims(
            digests=digests_of(record),
            chain=(self._certificate,),
            iss=str(self.name),
            sub=str(identifier),
            exp=now + VALIDITY,
            nbf=now - _CLOCK_SKEW,
            iat=now,
        )
        return jws.sign(encode_claims(claims), self.key)

    def certify(
        self,
        subject: ValueName,
        key: PublicKey,
        permissions: tuple[Permission, ...],
        now: int,
        kept: bytes = b"",
    ) -> bytes:
        """The data of an HS_CERT: the key is the subject's, who may sign what is permitted.

        It is `kept`, an earlier one, if that says the same and is good for another year.
        """
        claims = CertificateClaims(
            perms=permissions,
            chain=(self._certificate,) if subject != self.name else (),
            public_key=public_key_to_json(key),
            iss=str(self.name),
            sub=str(subject),
            exp=now + VALIDITY,
            nbf=now - _CLOCK_SKEW,
            iat=now,
        )
        return kept if self._still_good(kept, claims) else jws.sign(encode_claims(claims), self.key)

    def _still_good(self, text: bytes, wanted: CertificateClaims) -> bool:
        try:
            read = jws.decode(text)
            claims = decode_claims(read.payload, CertificateClaims)
        except DecodeError:
            return False
        dated = replace(wanted, exp=claims.exp, nbf=claims.nbf, iat=claims.iat)
        return (
            claims == dated
            and (claims.exp or 0) > (wanted.exp or 0) - VALIDITY + _RENEWAL
            and jws.verifies(read, self.key.public_key())
        )

    @property
    def _certificate(self) -> str:
        return str(ValueName(CERTIFICATE_INDEX, self.name.key))

    def sealed(self, identifier: Key, record: bytes, now: int) -> bytes:
        """The well-formed record with a new signature in place of the signer's earlier ones.

        Signatures of others are left as they are: whether they still hold is theirs to say. A
        record without a value that ought to be signed gets none.
        """
        spans = list(scan(record))
        kept = [span for span in spans if not self._made(record, span)]
        rest = join_spans(record, kept)
        if not digests_of(rest).digests:
            return rest
        taken = {span.index for span in kept}
        index = next(index for index in count(SIGNATURE_INDEX) if index not in taken)
        data = self.sign(identifier, rest, now)
        signature = encode_value(Value(index, SIGNATURE, data, timestamp=now))
        return u32(len(kept) + 1) + rest[4:] + signature

    def _made(self, record: bytes, span: Span) -> bool:
        """Whether the value is a signature by this signer, or says that it is."""
        if not type_matches(SIGNATURE, span.type):
            return False
        try:
            text = decode_value(record[span.start : span.end]).data
            claims = decode_claims(jws.decode(text).payload, SignatureClaims)
        except DecodeError:
            return False
        return claims.iss == str(self.name)
