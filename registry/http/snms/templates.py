"""`/snms/api/v5/template`: templates, which are published as they are added or changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from registry.authorisation import Operation
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.snms.answering import done, resource
from registry.schemes.handle import HandleRules, parse_prefix
from registry.snms.forms import TemplateForm, definition, template_view
from registry.storage.interface import Reads
from registry.templates.office import TemplateOffice
from registry.templates.template import Operation as Step
from registry.templates.template import State, Template, newest

_PATH: Final = "/snms/api/v5/template"


class TemplateName(msgspec.Struct):
    """Which template."""

    prefix: Annotated[str, Meta(max_length=64)]
    version: Annotated[str, Meta(max_length=128)]


class Templates:
    """Adding, changing, withdrawing and reading templates."""

    def __init__(self, office: TemplateOffice, reads: Reads, rules: HandleRules) -> None:
        self._office = office
        self._reads = reads
        self._rules = rules

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        see, publish = Operation.TEMPLATE_READ, Operation.TEMPLATE_PUBLISH
        return [
            resource("GET", _PATH, "template", self._show, see, query=TemplateName),
            resource("POST", _PATH, "template-add", self._add, publish, TemplateForm),
            resource("PUT", _PATH, "template-change", self._change, publish, TemplateForm),
            resource("DELETE", _PATH, "template-drop", self._drop, publish, TemplateName),
        ]

    async def _show(self, call: Call) -> Reply:
        """The newest published version of a template"""
        prefix = self._prefix(call, call.query.prefix)
        name = call.query.version
        return done(template_view(await self._newest(prefix, name, State.PUBLISHED)))

    async def _add(self, call: Call) -> Reply:
        """Add a template"""
        form: TemplateForm = call.body
        prefix = self._prefix(call, form.prefix)
        made = definition(form)
        await self._office.create(prefix, form.version, made, call.actor, publish=True)
        return done(True)

    async def _change(self, call: Call) -> Reply:
        """Change items of a template or add some; the others stay"""
        form: TemplateForm = call.body
        prefix = self._prefix(call, form.prefix)
        known = await self._newest(prefix, form.version)
        changed = definition(form, known.items)
        await self._office.change(prefix, form.version, changed, call.actor, publish=True)
        return done(True)

    async def _drop(self, call: Call) -> Reply:
        """Withdraw a template"""
        name: TemplateName = call.body
        prefix = self._prefix(call, name.prefix)
        await self._office.move(prefix, name.version, Step.WITHDRAW, call.actor)
        return done(True)

    def _prefix(self, call: Call, text: str) -> str:
        prefix = parse_prefix(text, self._rules)
        call.need(prefix)
        return prefix

    async def _newest(self, prefix: str, name: str, state: State | None = None) -> Template:
        return newest(await self._reads.dossiers(Template, prefix=prefix, name=name), state)
