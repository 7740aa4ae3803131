"""A small world of keys and certificates: root, 88, 88.901 and an enterprise, in a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from registry.schemes.handle import Key, parse, prefix_record
from registry.trust.chain import Terms, TrustRoot
from registry.trust.claims import Permission, ValueName
from registry.trust.permissions import EVERYTHING, prefix_permissions
from registry.trust.signing import CERTIFICATE_INDEX, KEY_INDEX, Signer
from registry.trust.verification import Report, verify_record
from registry.values.key_objects import PrivateKeyObject, public_numbers
from registry.values.value import Value, encode_record

NOW = 1_800_000_000
ROOT = parse("0.0/0.0")
BOTTLE = parse("88.901.7/BOT-1")


@cache
def key_pair(name: str) -> PrivateKeyObject:
    """The key that belongs to a name in these tests; `dsa …` is a DSA key."""
    if name.startswith("dsa"):
        return dsa.generate_private_key(1024)
    return rsa.generate_private_key(65537, 2048)


def signer(prefix: str, key: str | None = None) -> Signer:
    """The signer of a prefix, or of the root for the empty one."""
    record = prefix_record(prefix) if prefix else ROOT
    return Signer(ValueName(KEY_INDEX, record), key_pair(prefix if key is None else key))


class World:
    """Records by key, to which `certify` adds certificates."""

    def __init__(self, *prefixes: str) -> None:
        self.records: dict[Key, bytes] = {}
        self.asked: list[Key] = []
        self.certify("", "", (Permission(perm=EVERYTHING),))
        for above, prefix in zip(("", *prefixes), prefixes, strict=False):
            self.certify(above, prefix)
        self.roots = (TrustRoot(ROOT, public_numbers(key_pair("").public_key())),)

    def certify(
        self,
        issuer: str,
        subject: str,
        permissions: tuple[Permission, ...] | None = None,
        *,
        now: int = NOW,
        key: str | None = None,
    ) -> None:
        """Put a certificate of `subject` by `issuer` in place of the one there is."""
        about = signer(subject, key)
        grant = prefix_permissions(subject) if permissions is None else permissions
        numbers = public_numbers(about.key.public_key())
        text = signer(issuer).certify(about.name, numbers, grant, now)
        self.put(about.name.key, [Value(CERTIFICATE_INDEX, b"HS_CERT", text)])

    def put(self, key: Key, values: Sequence[Value]) -> None:
        self.records[key] = encode_record(values)

    def verify(self, signed: Key, record: bytes, now: float = NOW) -> Report:
        """Run a verification, looking up what it asks for here."""
        walk = verify_record(signed, record, Terms(self.roots, now))
        try:
            wanted = next(walk)
            while True:
                self.asked.append(wanted)
                wanted = walk.send(self.records.get(wanted))
        except StopIteration as done:
            report: Report = done.value
            return report
