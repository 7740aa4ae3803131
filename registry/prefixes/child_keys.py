"""The keys of the nodes below a node, as the records of their prefixes there give them."""

from __future__ import annotations

from registry.schemes.handle import prefix_record
from registry.storage.interface import Reads
from registry.values.key_objects import PublicKeyObject, load_public_key
from registry.values.site import decode_site
from registry.values.value import decode_record


async def child_key(reads: Reads, prefix: str, node: str | None = None) -> PublicKeyObject | None:
    """The key of the node that serves a prefix, None if there is none here.

    With `node`, only if it is the one of this name. Raises DecodeError for a broken record.
    """
    record = await reads.record(*prefix_record(prefix))
    for value in decode_record(record) if record is not None else ():
        if value.type == b"HS_SITE":
            site = decode_site(value.data)
            names = {each.value for each in site.attributes if each.name == b"node"}
            if node is None or node.encode() in names:
                return load_public_key(site.servers[0].public_key)
    return None
