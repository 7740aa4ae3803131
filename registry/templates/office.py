"""Making templates and leading them through their life; every step is in the audit log.

A template has versions. One of them at most is a draft: it can be changed and discarded, and what
is published stays as it is. A change of what is published is a draft of the next version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from registry.audit.ledger import Ledger, Writing
from registry.audit.log import Actor, Event, Note
from registry.errors import TemplateExists, TemplateNotFound
from registry.templates.template import (
    Carrier,
    Item,
    Operation,
    State,
    Template,
    Title,
    check_follows,
    check_template,
    newest,
    step,
)

_EVENTS: Final[Mapping[Operation, Event]] = {
    Operation.CHANGE: Event.TEMPLATE_DRAFTED,
    Operation.PUBLISH: Event.TEMPLATE_PUBLISHED,
    Operation.WITHDRAW: Event.TEMPLATE_WITHDRAWN,
    Operation.DISCARD: Event.TEMPLATE_DISCARDED,
}


class Definition(msgspec.Struct, forbid_unknown_fields=True):
    """What a template says, besides whose it is and its name."""

    industry: str
    items: tuple[Item, ...]
    title: Title = Title()
    carrier: Carrier = Carrier.OTHER
    description: str = ""


#: The members of a definition.
FIELDS: Final = Definition.__struct_fields__


class TemplateOffice:
    """The templates of a node."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def create(
        self,
        prefix: str,
        name: str,
        definition: Definition,
        actor: Actor,
        *,
        publish: bool = False,
    ) -> Template:
        """The first version, a draft unless it is to be published at once.

        Raises TemplateExists, InvalidValue.
        """
        async with self._ledger.begin() as writing:
            if await writing.transaction.dossiers(Template, prefix=prefix, name=name):
                raise TemplateExists(f"template {prefix}/{name} exists")
            draft = await _draft(writing, _blank(prefix, name, 1), definition, None, actor)
            return await _moved(writing, draft, Operation.PUBLISH, actor) if publish else draft

    async def change(
        self,
        prefix: str,
        name: str,
        definition: Definition,
        actor: Actor,
        *,
        publish: bool = False,
    ) -> Template:
        """The draft as it now is, or published; one of the next version where there was none.

        Raises TemplateNotFound, InvalidValue.
        """
        async with self._ledger.begin() as writing:
            versions = await _versions(writing, prefix, name)
            last = newest(versions)
            base = last if last.state is State.DRAFT else _blank(prefix, name, last.version + 1)
            before = [each for each in versions if each.state is not State.DRAFT]
            published = newest(before) if before else None
            draft = await _draft(writing, base, definition, published, actor)
            return await _moved(writing, draft, Operation.PUBLISH, actor) if publish else draft

    async def move(
        self,
        prefix: str,
        name: str,
        operation: Operation,
        actor: Actor,
        version: int | None = None,
    ) -> Template:
        """Publish, withdraw or discard a version, by default the newest; as it now is.

        Raises TemplateNotFound, StateConflict.
        """
        async with self._ledger.begin() as writing:
            versions = await _versions(writing, prefix, name)
            chosen = [each for each in versions if version in (None, each.version)]
            return await _moved(writing, newest(chosen), operation, actor)


async def _moved(
    writing: Writing, template: Template, operation: Operation, actor: Actor
) -> Template:
    """The version as it now is; as it was, where that is its end."""
    state = step(template.state, operation)
    if state is None:
        await writing.transaction.discard([template])
        _note(writing, operation, actor, template, None)
        return template
    moved = template._replace(state=state, modified=writing.time // 1000)
    await writing.transaction.file([moved])
    _note(writing, operation, actor, template, moved)
    return moved


async def _versions(writing: Writing, prefix: str, name: str) -> list[Template]:
    found = await writing.transaction.dossiers(Template, prefix=prefix, name=name)
    if not found:
        raise TemplateNotFound(f"there is no template {prefix}/{name}")
    return found


def _blank(prefix: str, name: str, version: int) -> Template:
    return Template(prefix, name, version, State.DRAFT, Title(), "", Carrier.OTHER, "", (), 0, 0)


async def _draft(
    writing: Writing,
    base: Template,
    definition: Definition,
    published: Template | None,
    actor: Actor,
) -> Template:
    now = writing.time // 1000
    said: dict[str, Any] = {field: getattr(definition, field) for field in FIELDS}
    template = base._replace(**said, created=base.created or now, modified=now)
    check_template(template)
    if published is not None:
        check_follows(template, published)
    await writing.transaction.file([template])
    _note(writing, Operation.CHANGE, actor, base if base.created else None, template)
    return template


def _note(
    writing: Writing,
    operation: Operation,
    actor: Actor,
    before: Template | None,
    after: Template | None,
) -> None:
    subject = str(after or before)
    writing.note(Note(_EVENTS[operation], actor, subject, _digest(before), _digest(after)))


def _digest(template: Template | None) -> bytes:
    return b"" if template is None else hashlib.sha256(msgspec.json.encode(template)).digest()
