"""`/v1/templates`: what the records of an industry consist of, version by version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from registry.authorisation import Operation as Right
from registry.authorisation import may
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.paging import PageQuery, page_of, read_cursor
from registry.schemes.handle import HandleRules, ascii_upper, parse_prefix
from registry.storage.dossiers import Page
from registry.storage.interface import Reads
from registry.templates.office import FIELDS, Definition, TemplateOffice
from registry.templates.template import (
    Carrier,
    Item,
    Operation,
    State,
    Template,
    Title,
    newest,
)

PATH: Final = "/v1/templates"
_ONE: Final = PATH + "/{prefix}/{name}"
_MAX_VERSION: Final = 0x7FFF_FFFF
_SUMMARIES: Final = {
    "list-templates": "Templates under the caller's prefixes, and what is published above them",
    "read-template": "A version of a template",
    "create-template": "Draft the first version of a template",
    "change-template": "Change the draft; where there is none, draft the next version",
    "discard-template": "Discard the draft",
    "publish-template": "Hold records against a version from now on",
    "withdraw-template": "Take no new records of a version",
}
_STATUS: Final = {"create-template": 201}


class TemplateView(msgspec.Struct):
    """A version of a template; times are Unix seconds."""

    prefix: str
    name: str
    version: int
    state: State
    title: Title
    industry: str
    carrier: Carrier
    description: str
    items: tuple[Item, ...]
    created: int
    modified: int


class TemplatePage(msgspec.Struct, omit_defaults=True):
    """A page of versions, by prefix, name and version."""

    items: list[TemplateView]
    next_cursor: str = ""


class NewTemplate(Definition, kw_only=True, forbid_unknown_fields=True):
    """The definition of a template, whose it is, and its name."""

    prefix: str
    name: str


class ListQuery(PageQuery, kw_only=True):
    """Which templates."""

    prefix: str = ""
    state: State | None = None


class VersionQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which version: by default the newest."""

    version: Annotated[int, Meta(ge=1, le=_MAX_VERSION)] | None = None


class TemplateResources:
    """What is done about templates over HTTP."""

    def __init__(self, office: TemplateOffice, reads: Reads) -> None:
        self._office = office
        self._reads = reads

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        read, draft, publish = Right.TEMPLATE_READ, Right.TEMPLATE_DRAFT, Right.TEMPLATE_PUBLISH
        return [
            _endpoint("GET", PATH, "list-templates", self._list, read, ListQuery, TemplatePage),
            _endpoint("GET", _ONE, "read-template", self._show, read, VersionQuery),
            _endpoint("POST", PATH, "create-template", self._create, draft, body=NewTemplate),
            _endpoint("PUT", _ONE, "change-template", self._change, draft, body=Definition),
            *(
                _endpoint(method, path, f"{operation.value}-template", act, right, VersionQuery)
                for method, path, operation, act, right in (
                    ("DELETE", _ONE, Operation.DISCARD, self._discard, draft),
                    ("POST", _ONE + "/publish", Operation.PUBLISH, self._publish, publish),
                    ("POST", _ONE + "/withdraw", Operation.WITHDRAW, self._withdraw, publish),
                )
            ),
        ]

    async def _list(self, call: Call) -> Reply:
        query: ListQuery = call.query
        after = read_cursor(query.cursor, str, str, int)
        found: list[Template] = []
        while len(found) <= query.limit:
            page = await self._page(query, after)
            found += [each for each in page if _sees(call, each)]
            if len(page) <= query.limit:
                break
            after = _key(page[-1])
        call.settle()
        return Reply(body=page_of(found[: query.limit + 1], query.limit, _key, view))

    async def _page(self, query: ListQuery, after: tuple[Any, ...]) -> list[Template]:
        having: dict[str, str] = {}
        if query.prefix:
            having["prefix"] = ascii_upper(query.prefix)
        if query.state is not None:
            having["state"] = query.state.value
        page = Page(after, query.limit + 1)
        return await self._reads.dossiers(Template, page, **having)

    async def _create(self, call: Call) -> Reply:
        body: NewTemplate = call.body
        prefix = parse_prefix(body.prefix, HandleRules())
        call.need(prefix)
        definition = Definition(**{each: getattr(body, each) for each in FIELDS})
        template = await self._office.create(prefix, body.name, definition, call.actor)
        return Reply(201, view(template))

    async def _show(self, call: Call) -> Reply:
        prefix = parse_prefix(call.path["prefix"], HandleRules())
        call.need_to_see(prefix)
        query: VersionQuery = call.query
        versions = await self._reads.dossiers(Template, prefix=prefix, name=call.path["name"])
        wanted = [
            each for each in versions if query.version in (None, each.version) and _sees(call, each)
        ]
        template = newest(wanted)
        return Reply(body=view(template))

    async def _change(self, call: Call) -> Reply:
        prefix, name = parse_prefix(call.path["prefix"], HandleRules()), call.path["name"]
        call.need(prefix)
        template = await self._office.change(prefix, name, call.body, call.actor)
        return Reply(body=view(template))

    async def _publish(self, call: Call) -> Reply:
        return Reply(body=view(await self._move(call, Operation.PUBLISH)))

    async def _withdraw(self, call: Call) -> Reply:
        return Reply(body=view(await self._move(call, Operation.WITHDRAW)))

    async def _discard(self, call: Call) -> Reply:
        await self._move(call, Operation.DISCARD)
        return Reply(204)

    async def _move(self, call: Call, operation: Operation) -> Template:
        prefix, name = parse_prefix(call.path["prefix"], HandleRules()), call.path["name"]
        call.need(prefix)
        return await self._office.move(prefix, name, operation, call.actor, call.query.version)


def _endpoint(
    method: str,
    path: str,
    name: str,
    act: Callable[[Call], Awaitable[Reply]],
    right: Right,
    query: type[msgspec.Struct] | None = None,
    answer: type[msgspec.Struct] = TemplateView,
    body: type[msgspec.Struct] | None = None,
) -> Endpoint:
    answers = {204: None} if method == "DELETE" else {_STATUS.get(name, 200): answer}
    summary = _SUMMARIES[name]
    return Endpoint(method, path, name, summary, act, right, body, query, answers, tag="templates")


def view(template: Template) -> TemplateView:
    """A template as it is shown."""
    return TemplateView(*template)


def _sees(call: Call, template: Template) -> bool:
    """Drafts are for those who may draft."""
    drafts = template.state is not State.DRAFT or may(
        call.principal, Right.TEMPLATE_DRAFT, template.prefix
    )
    return drafts and call.may(template.prefix)


def _key(template: Template) -> tuple[str, str, int]:
    return template.prefix, template.name, template.version
