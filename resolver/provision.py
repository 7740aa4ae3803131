"""Bringing a node's store to what its topology says: prefixes, their records, administrators, seed.

Every step looks first and writes only what is missing or has changed, so that it can be run at each
start, and again after it was cut off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from registry.accounts import account as accounts
from registry.audit.log import Actor
from registry.authorisation import Role
from registry.clock import Clock
from registry.prefixes.allocations import Allocation
from registry.prefixes.records import (
    admin_value,
    administrator_values,
    derived_value,
    new_secret,
    site_value,
)
from registry.registration.changes import Create, PutValues
from registry.registration.grouping import Asked
from registry.registration.registrar import Registrar
from registry.rights import BOOTSTRAP_INDEX
from registry.schemes.handle import (
    PREFIX_RECORDS,
    ROOT_RECORD,
    TRUST_PREFIX,
    TRUST_ROOT,
    Key,
    ascii_upper,
    parse,
    prefix_record,
)
from registry.seed import FAMILIES, records, split
from registry.storage.interface import ADMINISTRATOR, Store
from registry.values.key_objects import dump_public_key
from registry.values.site import (
    ADMIN,
    HTTP,
    QUERY,
    TCP,
    UDP,
    Attribute,
    Interface,
    Server,
    Site,
    decode_site,
    encode_site,
)
from registry.values.value import Value, decode_record, encode_record
from resolver.data_directory import (
    Account,
    Credentials,
    DataDirectory,
    HandleAdmin,
    write_atomically,
)
from resolver.key_hierarchy import key_values, node_signer
from resolver.server_keys import server_key
from resolver.topology import NodeSpec, Topology, endpoints, ports
from resolver.topology_enterprises import Given, enrol, resting_prefixes

#: Who makes the changes here.
IDNODE: Final = Actor("idnode", "provision")
#: The largest serial number of a site; 65535 stands for "none known".
_LAST_SERIAL: Final = 0xFFFE
#: The fact that names the number of identifiers while they are being generated, then empty.
SEEDING: Final = "seeding"
#: Nodes of these roles have identifiers of their own to begin with.
_SEEDED_ROLES: Final = frozenset({"sector", "enterprise"})


def published_site(topology: Topology, spec: NodeSpec, data: DataDirectory) -> Site:
    """How the node is reached, as its parent publishes it.

    It is kept in the node's directory; its serial number grows when its address or key changes.
    """
    directory = data.node_path(spec.name)
    fresh = _site(topology, spec, dump_public_key(server_key(directory).public_key()))
    path = directory / "site.bin"
    kept = decode_site(path.read_bytes()) if path.exists() else None
    if kept is not None and replace(fresh, serial_number=kept.serial_number) == kept:
        return kept
    serial = 1 if kept is None else kept.serial_number % _LAST_SERIAL + 1
    published = replace(fresh, serial_number=serial)
    write_atomically(path, encode_site(published))
    return published


def _site(topology: Topology, spec: NodeSpec, public_key: bytes) -> Site:
    numbers = ports(topology, spec)
    # TCP first: CAICT clients use the first one for everything, and log in over TCP alone.
    interfaces = (
        Interface(ADMIN | QUERY, TCP, numbers.handle),
        Interface(QUERY, UDP, numbers.handle),
        Interface(ADMIN | QUERY, HTTP, numbers.http),
    )
    facts = {
        "desc": f"{spec.title.en} {spec.title.zh}",
        "node": spec.name,
        "role": spec.role,
        "http": endpoints(topology, spec).http,
        "dns_port": str(numbers.dns),
    }
    attributes = tuple(Attribute(name.encode(), text.encode()) for name, text in facts.items())
    return Site((Server(1, spec.host, public_key, interfaces),), attributes)


class Provision:
    """The steps for one node. `seed` is the number of identifiers for an empty store."""

    def __init__(
        self,
        topology: Topology,
        spec: NodeSpec,
        data: DataDirectory,
        store: Store,
        registrar: Registrar,
        clock: Clock,
    ) -> None:
        self._topology = topology
        self._spec = spec
        self._data = data
        self._store = store
        self._registrar = registrar
        self._clock = clock
        self._signer = node_signer(spec, data)
        #: Prefixes of the topology that were suspended or revoked, and stay so.
        self._resting: frozenset[str] = frozenset()

    async def run(self, seed: int) -> None:
        """All steps, in the order in which each may rely on those before it."""
        self._resting = await resting_prefixes(self._store.reads)
        await self._home()
        await self._publish()
        if self._spec.role == "sector":
            await self._enrol()
        await self._appoint()
        if self._spec.role in _SEEDED_ROLES:
            await self._fill(seed)

    async def _home(self) -> None:
        """Home the node's own and hosted prefixes, and those whose prefix records it keeps."""
        wanted = set(self._spec.homed) - self._resting
        if self._spec.role == "root":
            wanted |= {PREFIX_RECORDS, TRUST_PREFIX}
        missing = wanted - set(await self._store.reads.homed_prefixes())
        if missing:
            await self._registrar.home(sorted(missing), IDNODE)

    async def _publish(self) -> None:
        """Write the prefix records of children and hosted enterprises as they are now."""
        async for key, values in self._prefix_records():
            if key.suffix in self._resting:
                continue
            kept = await self._store.reads.record(*key)
            if kept is None:
                await self._registrar.submit(Create(key, values), IDNODE)
            elif changed := _changed(kept, values):
                await self._registrar.submit(PutValues(key, changed), IDNODE)

    async def _prefix_records(self) -> AsyncIterator[tuple[Key, list[Value]]]:
        own = encode_site(published_site(self._topology, self._spec, self._data))
        if self._spec.role == "root":
            yield parse(ROOT_RECORD), [site_value(own), derived_value(own)]
            trust_root = parse(TRUST_ROOT)
            yield trust_root, await self._key_values(trust_root, self._spec)
        for hosted in self._spec.hosted:
            yield (
                prefix_record(hosted.prefix),
                [site_value(own), admin_value(hosted.prefix)],
            )
        for child in self._topology.children(self._spec.name):
            if child.prefix is not None:
                site = encode_site(published_site(self._topology, child, self._data))
                key = prefix_record(child.prefix)
                yield (
                    key,
                    [
                        site_value(site),
                        derived_value(site),
                        admin_value(child.prefix),
                        *await self._key_values(key, child),
                    ],
                )

    async def _key_values(self, key: Key, owner: NodeSpec) -> list[Value]:
        """The key and certificate of a child, or of the root itself, for its record."""
        site = published_site(self._topology, owner, self._data)
        kept = await self._store.reads.record(*key)
        now = int(self._clock.now())
        return key_values(self._signer, owner.prefix, site.servers[0].public_key, kept, now)

    async def _enrol(self) -> None:
        """Have a dossier of every enterprise that the topology gives a prefix."""
        given = [Given(hosted.prefix, hosted.title) for hosted in self._spec.hosted]
        for child in self._topology.children(self._spec.name):
            assert child.prefix is not None, "topologies are checked for it"
            site = encode_site(published_site(self._topology, child, self._data))
            given.append(Given(child.prefix, child.title, child.industry, child.prefecture, site))
        ledger, reads = self._registrar.ledger, self._store.reads
        await enrol(ledger, reads, self._topology, self._spec, given, IDNODE)

    async def _appoint(self) -> None:
        """Make the administrators and operators of homed prefixes that never had any.

        Their secrets are written to the credentials file first: a secret that nobody knows would be
        worse than one that opens nothing.
        """
        reads, now = self._store.reads, int(self._clock.now())
        missing = [
            prefix for prefix in self._spec.homed if not await reads.versions(prefix, ADMINISTRATOR)
        ]
        if not missing:
            return
        owners = {each.prefix: each.enterprise for each in await reads.dossiers(Allocation)}
        issued = [
            accounts.issue_account(
                f"operator@{prefix}", self._role_of(prefix), prefix, owners.get(prefix, ""), now
            )
            for prefix in missing
        ]
        admins = [_handle_admin(prefix) for prefix in missing]
        published = [_account(self._spec.name, entry) for entry in issued]
        self._data.add_credentials(Credentials(published, admins))
        await self._registrar.appoint(
            [entry.account for entry in issued],
            [entry.app_key for entry in issued],
            [Asked(_administrator(admin), IDNODE) for admin in admins],
        )

    def _role_of(self, prefix: str) -> Role:
        return Role.OPERATOR if prefix == self._spec.prefix else Role.ENTERPRISE_OPERATOR

    async def _fill(self, count: int) -> None:
        """Seed an empty store, or one whose seeding was cut off, with what it was to have then."""
        wanted = await self._store.reads.fact(SEEDING)
        if not wanted and any((await self._store.reads.counts()).values()):
            return
        wanted = wanted or str(count)
        await self._note_seeding(wanted)
        await self._seed(int(wanted))
        await self._note_seeding("")

    async def _note_seeding(self, wanted: str) -> None:
        async with self._store.begin() as transaction:
            await transaction.set_fact(SEEDING, wanted)

    async def _seed(self, count: int) -> None:
        """Add the generated identifiers that are missing, `count` of them over all prefixes."""
        product = self._topology.product_of(self._spec)
        prefecture = self._topology.prefecture_of(self._spec)
        assert product is not None, "topologies are checked for it"
        assert prefecture is not None, "topologies are checked for it"
        family = FAMILIES[product]
        for prefix, share in split(count, self._spec.homed).items():
            made = records(family, prefix, share, seed=self._topology.seed, prefecture=prefecture)
            rows = ((ascii_upper(suffix), encode_record(values)) for suffix, values in made)
            await self._registrar.load(prefix, rows, IDNODE)


def _changed(kept: bytes, wanted: Sequence[Value]) -> list[Value]:
    """The wanted values whose type or data differ from what is kept under their index."""
    there = {value.index: (value.type, value.data) for value in decode_record(kept)}
    return [value for value in wanted if there.get(value.index) != (value.type, value.data)]


def _handle_admin(prefix: str) -> HandleAdmin:
    return HandleAdmin(prefix, f"{prefix}/{ADMINISTRATOR}", BOOTSTRAP_INDEX, new_secret())


def _administrator(admin: HandleAdmin) -> Create:
    values = administrator_values(admin.prefix, admin.secret)
    return Create(Key(admin.prefix, ADMINISTRATOR), values)


def _account(node: str, issued: accounts.IssuedAccount) -> Account:
    account = issued.account
    return Account(
        node, account.prefix, account.role.value, account.username, issued.password, issued.token
    )
