"""Holding what is registered against templates, within the transaction that registers it.

Nearly no record is asked more than whether it could name a template at all. For those that do, the
templates, the claims on values and the records referred to are read once for a whole group; then
each change is judged on what those before it left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from registry.errors import InvalidIdentifier, InvalidValue, ItemFault, NotConforming
from registry.schemes.handle import HandleRules, Key, parse
from registry.storage.interface import Row, Transaction
from registry.templates.claims import Claim, ClaimKey, claims
from registry.templates.conformance import (
    Values,
    faults,
    may_name_a_template,
    named,
    values_of,
)
from registry.templates.template import TEMPLATE_INDEX, Items, Named, State, Template


def concerns_templates(before: Row | None, after: Row | None) -> bool:
    """Whether a change makes or ends a record that could name a template."""
    was, now_is = (b"" if row is None else row.record for row in (before, after))
    return was != now_is and (may_name_a_template(was) or may_name_a_template(now_is))


class Reading(NamedTuple):
    """What a record says: its values, the template it names, and the version that counts."""

    values: Values
    name: Named | None
    items: Items | None


_NOTHING: Final = Reading({}, None, None)


class Templating:
    """What a transaction knows of the templates, claims and records that changes have to do with.

    A change that needs more than is known passes for the moment: `read` finds out, and then all are
    decided anew.
    """

    def __init__(self, transaction: Transaction, homes: Callable[[Key], bool]) -> None:
        self._transaction = transaction
        self.homes = homes
        self.readings: dict[Row, Reading] = {}
        self.versions: dict[tuple[str, str], list[Items]] = {}
        self.owners: dict[ClaimKey, Key] = {}
        self.referred: dict[Key, Row] = {}
        self._held: dict[Key, set[Claim]] = {}

    async def read(self, steps: Iterable[tuple[Row | None, Row | None]]) -> bool:
        """Find out what these changes (before, after) need; False if all of it was known."""
        concerned = [step for step in steps if concerns_templates(*step)]
        new = {
            row
            for step in concerned
            for row in step
            if row is not None and row not in self.readings
        }
        if not new:
            return False
        for before, after in concerned:
            await self._read_claims_of(before, after)
        referred: set[Key] = set()
        claimed: set[ClaimKey] = set()
        for row in new:
            reading = self.readings[row] = await self._reading(row)
            if reading.items is not None:
                wanted = claims(reading.items, row.key, reading.values)
                claimed.update(claim.key for claim in wanted)
                referred.update(key for _, key in _references(reading.items, reading.values))
        found = await self._transaction.dossiers_with(Claim, sorted(claimed))
        self.owners |= {claim.key: claim.owner for claim in found}
        self.referred |= await self._transaction.rows(sorted(referred))
        return True

    async def _read_claims_of(self, before: Row | None, after: Row | None) -> None:
        """What an identifier has claimed; one that is not there has claimed nothing."""
        if before is None:
            assert after is not None
            self._held.setdefault(after.key, set())
        elif before.key not in self._held:
            found = await self._transaction.dossiers(
                Claim, prefix=before.prefix, suffix=before.suffix
            )
            self._held[before.key] = set(found)

    async def _reading(self, row: Row) -> Reading:
        values = values_of(row.record)
        name = _name(values)
        if name is None:
            return Reading(values, None, None)
        place = (name.prefix, name.name)
        if place not in self.versions:
            found = await self._transaction.dossiers(Template, prefix=name.prefix, name=name.name)
            self.versions[place] = [*map(Items, found)]
        return Reading(values, name, _chosen(self.versions[place], name, standing=True))

    @property
    def claims_anything(self) -> bool:
        """Whether there is a claim that may have to be made or to end."""
        unique = (items.unique for versions in self.versions.values() for items in versions)
        return any(unique) or any(self._held.values())

    def judge(self) -> _Judge:
        """Judges changes from the first one on."""
        return _Judge(self)

    async def settle(self, rows: Mapping[Key, Row | None]) -> None:
        """Write the claims of the rows that are left; those of refused changes are not there."""
        if not self.claims_anything:
            return
        ended: set[Claim] = set()
        made: set[Claim] = set()
        for key in self._held.keys() & rows.keys():
            held, row = self._held[key], rows[key]
            wanted = set() if row is None else set(self._claims(row))
            ended |= held - wanted
            made |= wanted - held
        await self._transaction.discard(sorted(ended))
        await self._transaction.file(sorted(made))

    def _claims(self, row: Row) -> Iterator[Claim]:
        # Not the reading: a signature may have been added since.
        values = values_of(row.record)
        name = _name(values)
        items = None if name is None else _chosen(self.versions[name[:2]], name, standing=True)
        return iter(()) if items is None else claims(items, row.key, values)


class _Judge:
    """Judges steps in order, each on what those before it left (a `grouping.Check`)."""

    def __init__(self, known: Templating) -> None:
        self._known = known
        self._owners = dict(known.owners)
        self._rows: dict[Key, Row | None] = dict(known.referred)

    def __call__(self, before: Row | None, after: Row | None) -> None:
        """Raises NotConforming, InvalidValue."""
        if concerns_templates(before, after):
            rows = [row for row in (before, after) if row is not None]
            if all(row in self._known.readings for row in rows):
                self._judge(before, after)
        row = after or before
        if row is not None:
            self._rows[row.key] = after

    def _judge(self, before: Row | None, after: Row | None) -> None:
        was = _NOTHING if before is None else self._known.readings[before]
        values = {} if after is None else self._known.readings[after].values
        name = named(values)
        claimed: list[Claim] = []
        if after is not None and name is not None:
            items = self._items(name, standing=name == was.name)
            claimed += claims(items, after.key, values)
            found = [
                *faults(items, values, was.values),
                *self._dangling(items, values),
                *self._taken(items, claimed),
            ]
            if found:
                raise NotConforming(str(items.template), found)
        if before is not None:
            owners = self._owners.items()
            self._owners = {claim: owner for claim, owner in owners if owner != before.key}
        self._owners |= {claim.key: claim.owner for claim in claimed}

    def _items(self, name: Named, *, standing: bool) -> Items:
        items = _chosen(self._known.versions[name[:2]], name, standing=standing)
        if items is None:
            which = "" if name.version is None else f" in version {name.version}"
            message = f"the template is not published{which}"
            raise NotConforming(
                f"{name.prefix}/{name.name}", [ItemFault(TEMPLATE_INDEX, "", "template", message)]
            )
        return items

    def _taken(self, items: Items, claimed: Iterable[Claim]) -> Iterator[ItemFault]:
        for claim in claimed:
            if self._owners.get(claim.key, claim.owner) != claim.owner:
                item = items.by_index[claim.item]
                message = f"item {item.name}: another identifier has this value"
                yield ItemFault(item.index, item.name, "unique", message)

    def _dangling(self, items: Items, values: Values) -> Iterator[ItemFault]:
        """References to what is not there, or not of the template; other nodes are not asked."""
        for index, key in _references(items, values):
            item, row = items.by_index[index], self._rows.get(key)
            if row is None and self._known.homes(key):
                message = f"item {item.name}: {key} does not exist"
                yield ItemFault(index, item.name, "reference", message)
            elif row is not None and item.references and not _is_of(row, item.references):
                message = f"item {item.name}: {key} does not name template {item.references}"
                yield ItemFault(index, item.name, "reference", message)


def _references(items: Items, values: Values) -> Iterator[tuple[int, Key]]:
    """What the reference items of a record name; what is no identifier is a fault already."""
    for item in items.references:
        if item.index in values:
            try:
                yield item.index, parse(values[item.index][1].decode(), HandleRules())
            except (InvalidIdentifier, UnicodeDecodeError):
                continue


def _name(values: Values) -> Named | None:
    """What a record names that is stored already, or judged elsewhere."""
    try:
        return named(values)
    except InvalidValue:
        return None


def _is_of(row: Row, template: str) -> bool:
    name = _name(values_of(row.record))
    return name is not None and f"{name.prefix}/{name.name}" == template


def _chosen(versions: list[Items], name: Named, *, standing: bool = False) -> Items | None:
    """The version that counts, of all in their order; one `standing` may be withdrawn since."""
    for items in reversed(versions):
        template = items.template
        counts = template.state is State.PUBLISHED or (
            standing and template.state is State.WITHDRAWN
        )
        if counts and name.version in (None, template.version):
            return items
    return None
