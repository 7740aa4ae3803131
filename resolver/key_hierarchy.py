"""Who signs what in a topology: a node's key for its prefix, certified by the node above it.

The key is the one that the node's site publishes. Its public half lies at `300:0.NA/P`, the
certificate at `400:0.NA/P`, in the prefix record that the parent keeps; those of the root lie at
0.0/0.0. A hosted enterprise has no key: its sector node signs for it, as derived prefixes are in
its scope.
"""

from __future__ import annotations

from registry.schemes.handle import TRUST_ROOT, parse, prefix_record
from registry.trust.chain import TrustRoot
from registry.trust.claims import Permission, ValueName
from registry.trust.digests import CERTIFICATE
from registry.trust.permissions import EVERYTHING, prefix_permissions
from registry.trust.signing import CERTIFICATE_INDEX, KEY_INDEX, Signer
from registry.values.key import decode_public_key
from registry.values.site import Site
from registry.values.value import Value, decode_record
from resolver.data_directory import DataDirectory
from resolver.server_keys import server_key
from resolver.topology import NodeSpec

ROOT_KEY_NAME = ValueName(KEY_INDEX, parse(TRUST_ROOT))


def node_signer(spec: NodeSpec, data: DataDirectory) -> Signer:
    """The key of a node, under the name of its prefix."""
    return Signer(_key_name(spec.prefix), server_key(data.node_path(spec.name)))


def trust_root(site: Site) -> TrustRoot:
    """The trust root of a topology whose root node publishes `site`. Raises DecodeError."""
    return TrustRoot(ROOT_KEY_NAME.key, decode_public_key(site.servers[0].public_key))


def key_values(
    signer: Signer, prefix: str | None, public_key: bytes, kept: bytes | None, now: int
) -> list[Value]:
    """The key and the certificate of a node for the record of its prefix (None: of the root).

    `public_key` is in the Handle binary form, `kept` the record as it is: a certificate in it that
    is still good stays.
    """
    name = _key_name(prefix)
    permissions = (Permission(perm=EVERYTHING),) if prefix is None else prefix_permissions(prefix)
    there = {value.index: value.data for value in decode_record(kept)} if kept else {}
    certificate = signer.certify(
        name,
        decode_public_key(public_key),
        permissions,
        now,
        there.get(CERTIFICATE_INDEX, b""),
    )
    return [
        Value(KEY_INDEX, b"HS_PUBKEY", public_key),
        Value(CERTIFICATE_INDEX, CERTIFICATE, certificate),
    ]


def _key_name(prefix: str | None) -> ValueName:
    return ROOT_KEY_NAME if prefix is None else ValueName(KEY_INDEX, prefix_record(prefix))
