"""Whether a topology makes sense: each rule a function from a draft to what is wrong with it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from registry.errors import InvalidIdentifier
from registry.schemes import handle
from registry.schemes.industry import INDUSTRY
from registry.seed import FAMILIES
from resolver.topology.addresses import BLOCK, Ports, base_of
from resolver.topology.draft import Draft, Home
from resolver.topology.model import NodeSpec
from resolver.topology.problems import Finding, did_you_mean

#: Which roles may stand above a role; roles without an entry stand alone and have no prefix.
PARENT_ROLES: Final = {
    "national": ("root",),
    "sector": ("national",),
    "enterprise": ("sector", "enterprise"),
}
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
#: Room for at least a short identifier in the 253 characters of a domain name.
_LONGEST_ZONE: Final = 100
_LONGEST_HANDLE: Final = 2048  # what Handle clients accept; the national rules say 255
_STORE: Final = re.compile(r"sqlite:///.|postgresql(\+asyncpg)?://.")
_REPLICATED: Final = re.compile(r"postgresql")
_MOST_WORKERS: Final = 64
_FACTS: Final = {
    "product": (re.compile("|".join(FAMILIES)), f"one of {', '.join(FAMILIES)}"),
    "industry": (INDUSTRY, 'a GB/T 4754-2017 code such as "C1512"'),
    "prefecture": (re.compile(r"[0-9]{6}"), 'a GB/T 2260 code such as "511500"'),
}


def findings(draft: Draft) -> Iterator[Finding]:
    """Everything that does not make sense, rule by rule."""
    for check in CHECKS:
        yield from check(draft)


def names(draft: Draft) -> Iterator[Finding]:
    """A name becomes a directory and a metric label, so it is plain and there once."""
    seen: set[str] = set()
    for index, node in draft.nodes:
        key = f"node[{index}].name"
        if not _NAME.fullmatch(node.name):
            yield Finding(key, f'"{node.name}": lower-case letters, digits and "-", at most 63')
        if node.name in seen:
            yield Finding(key, f'"{node.name}" is the name of an earlier node too')
        seen.add(node.name)


def roles(draft: Draft) -> Iterator[Finding]:
    """One root, and one recursive node that stands first, so that the usual port is its own."""
    for role in ("recursive", "root"):
        places = [index for index, node in draft.nodes if node.role == role]
        for index in places[1:]:
            yield Finding(
                f"node[{index}].role", f'a second "{role}" node; node[{places[0]}] is one'
            )
        if not places:
            yield Finding("node", f'no node has the role "{role}"')
        if role == "recursive" and places and places[0] != 0:
            yield Finding(f"node[{places[0]}].role", "the recursive node must stand first")


def parents(draft: Draft) -> Iterator[Finding]:
    """Every node but root and recursive hangs below one of the right role."""
    for index, node in draft.nodes:
        key = f"node[{index}].parent"
        allowed = PARENT_ROLES.get(node.role, ())
        if node.parent is None:
            if allowed:
                yield Finding(key, f"is missing: the node above, {' or '.join(allowed)}")
        elif not allowed:
            yield Finding(key, f"a {node.role} node has no parent")
        elif above := draft.by_name.get(node.parent):
            if above.role not in allowed:
                wanted = " or ".join(allowed)
                yield Finding(key, f'"{above.name}" is a {above.role} node, not {wanted}')
        elif node.parent not in draft.broken:
            hint = did_you_mean(node.parent, draft.by_name)
            yield Finding(key, f'there is no node "{node.parent}"{hint}')


def cycles(draft: Draft) -> Iterator[Finding]:
    """Nobody is above itself. Each circle is told once, at its first node."""
    told: set[str] = set()
    for index, node in draft.nodes:
        path = _upward(draft, node)
        if path[0] == path[-1] and len(path) > 1 and node.name not in told:
            told.update(path)
            yield Finding(f"node[{index}].parent", f"goes in a circle: {' -> '.join(path)}")


def _upward(draft: Draft, node: NodeSpec) -> list[str]:
    """The names from a node up, ending at the top or with the first name that comes again."""
    path = [node.name]
    while node.parent is not None and (above := draft.by_name.get(node.parent)):
        path.append(above.name)
        if above.name in path[:-1]:
            break
        node = above
    return path


def prefixes(draft: Draft) -> Iterator[Finding]:
    """Who homes a prefix and who does not; each follows the digit rules and is there once."""
    for index, node in draft.nodes:
        if node.prefix is None and node.role in PARENT_ROLES:
            yield Finding(f"node[{index}].prefix", f"is missing: a {node.role} node homes one")
        elif node.prefix is not None and node.role not in PARENT_ROLES:
            yield Finding(f"node[{index}].prefix", f"a {node.role} node homes no prefix")
    homes: dict[str, Home] = {}
    for home in draft.prefixes:
        first = homes.setdefault(handle.ascii_upper(home.prefix), home)
        if first is not home:
            yield Finding(home.key, f'"{home.prefix}" is used by node "{first.node.name}" too')
        yield from _digits(draft, home.key, home.prefix)


def _digits(draft: Draft, key: str, prefix: str) -> Iterator[Finding]:
    if prefix != handle.ascii_upper(prefix):
        yield Finding(key, f'"{prefix}" must be written in capitals')
    try:
        handle.check_prefix(prefix, draft.head.rules)
    except InvalidIdentifier as refusal:
        yield Finding(key, f'"{prefix}": {refusal.message}')
    except re.error:
        return  # told by `rules`


def nesting(draft: Draft) -> Iterator[Finding]:
    """A prefix is its parent's plus one segment: that is how resolution finds the way down."""
    for key, prefix, node, is_hosted in draft.prefixes:
        above = node if is_hosted else draft.by_name.get(node.parent or "")
        if above is None or above.role == "recursive":
            continue
        if above.role == "root" and "." in prefix:
            yield Finding(key, f'"{prefix}" must be a single segment below the root')
        elif above.prefix is not None and handle.parent(prefix) != above.prefix:
            place = f'"{above.prefix}" of node "{above.name}"'
            yield Finding(key, f'"{prefix}" is not directly under its parent\'s prefix {place}')


def hosted(draft: Draft) -> Iterator[Finding]:
    """Sector nodes home enterprises' prefixes, each at least one; nobody else does."""
    for index, node in draft.nodes:
        if node.role == "sector" and not node.hosted:
            yield Finding(f"node[{index}].hosted", "a sector node hosts at least one enterprise")
        elif node.role != "sector" and node.hosted:
            yield Finding(f"node[{index}].hosted", f"a {node.role} node hosts no enterprises")


def facts(draft: Draft) -> Iterator[Finding]:
    """What a sector is about: a known product family, and codes that look like their standard's."""
    for index, node in draft.nodes:
        for name, (pattern, wanted) in _FACTS.items():
            said = getattr(node, name)
            if said is None and node.role == "sector":
                yield Finding(f"node[{index}].{name}", f"is missing: {wanted}")
            elif said is not None and not pattern.fullmatch(said):
                hint = did_you_mean(said, FAMILIES)
                yield Finding(f"node[{index}].{name}", f'"{said}" is not {wanted}{hint}')


def hosts(draft: Draft) -> Iterator[Finding]:
    """A node's site record carries its address, so the host is one that clients can be sent to."""
    for index, node in draft.nodes:
        key = f"node[{index}].host"
        try:
            address = ipaddress.ip_address(node.host)
        except ValueError:
            yield Finding(key, f'"{node.host}" is not an IP address')
            continue
        if address.is_unspecified or address.is_multicast:
            yield Finding(key, f'"{node.host}" is no address that clients can be sent to')


def ports(draft: Draft) -> Iterator[Finding]:
    """Each node has its block of ten ports, within range, and shares it with none on its host."""
    blocks = []
    for index, node in draft.nodes:
        base = base_of(draft.head, index, node)
        blocks.append((node.host, base, index, node))
        if not 0 < base <= 65_535 - len(Ports._fields):
            key = "base_port" if node.base_port is None else f"node[{index}].base_port"
            yield Finding(key, f'node "{node.name}" would begin at port {base}, out of range')
    blocks.sort(key=lambda block: block[:3])
    for (host, base, _, node), (host_2, base_2, index, node_2) in pairwise(blocks):
        if host == host_2 and base_2 - base < BLOCK:
            own = f"ports {base_2}-{base_2 + BLOCK - 1} of node {node_2.name!r}"
            rival = f"{base}-{base + BLOCK - 1} of node {node.name!r}"
            yield Finding(f"node[{index}].base_port", f"{own} on {host} overlap {rival}")


def stores(draft: Draft) -> Iterator[Finding]:
    """A database belongs to one node; of PostgreSQL there may be a copy to read."""
    used: dict[str, NodeSpec] = {}
    for index, node in draft.nodes:
        key = f"node[{index}].store"
        if node.store is not None:
            if not _STORE.match(node.store):
                yield Finding(key, "is not sqlite:///FILE or postgresql://HOST/DATABASE")
            if node.role == "recursive":
                yield Finding(key, "a recursive node has no store")
            if first := used.get(node.store):
                yield Finding(key, f'is the store of node "{first.name}" too')
            used[node.store] = node
        if node.store_read is not None and not _REPLICATED.match(node.store or ""):
            yield Finding(f"{key}_read", "goes with a store that is postgresql://…")


def workers(draft: Draft) -> Iterator[Finding]:
    """At least one process serves a node; far more than there are cores only cost memory."""
    for index, node in draft.nodes:
        if not 1 <= node.workers <= _MOST_WORKERS:
            yield Finding(f"node[{index}].workers", f"must be within 1 and {_MOST_WORKERS}")


def zone(draft: Draft) -> Iterator[Finding]:
    """The DNS zone of identifiers: lower-case labels, no final dot."""
    name = draft.head.zone
    if len(name) > _LONGEST_ZONE or not all(map(_LABEL.fullmatch, name.split("."))):
        rule = f"lower-case labels, no final dot, at most {_LONGEST_ZONE} characters"
        yield Finding("zone", f'"{name}" is not a domain name ({rule})')


def rules(draft: Draft) -> Iterator[Finding]:
    """The digit rules are regular expressions, the length one that the protocol can carry."""
    for name in ("national", "sector", "enterprise"):
        try:
            re.compile(getattr(draft.head.rules, name))
        except re.error as error:
            yield Finding(f"rules.{name}", f"is not a regular expression: {error}")
    if not 0 < draft.head.rules.max_length <= _LONGEST_HANDLE:
        yield Finding("rules.max_length", f"must be within 1 and {_LONGEST_HANDLE} octets")


def settings(draft: Draft) -> Iterator[Finding]:
    """A setting that is read has the type that its reader needs."""
    for index, node in draft.nodes:
        sign = node.settings.get("sign", False)
        if not isinstance(sign, bool):
            yield Finding(f"node[{index}].settings.sign", f"must be true or false, not {sign!r}")
        search = node.settings.get("search", True)
        if not isinstance(search, bool):
            yield Finding(
                f"node[{index}].settings.search", f"must be true or false, not {search!r}"
            )
        client_ca = node.settings.get("client_ca", "")
        if not isinstance(client_ca, str):
            yield Finding(f"node[{index}].settings.client_ca", "must be the path of a PEM file")
        if node.settings.get("audit", "automatic") not in ("automatic", "manual"):
            yield Finding(f"node[{index}].settings.audit", 'must be "automatic" or "manual"')


CHECKS: Final = (
    names,
    roles,
    parents,
    cycles,
    prefixes,
    nesting,
    hosted,
    facts,
    hosts,
    ports,
    stores,
    workers,
    zone,
    rules,
    settings,
)
