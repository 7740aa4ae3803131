"""The OpenAPI 3.1 description of the management API, made from the table that is served."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from typing import Any, Final

import msgspec

from registry.http.endpoints import Endpoint
from registry.http.forms import ValueForm
from registry.http.headers import NEXT, REQUEST_ID, Header
from registry.http.paging import PageQuery
from registry.http.problem import MEDIA_TYPE
from registry.http.problem_form import Problem, refusals
from registry.http.reading import JSON
from registry.http.upload_forms import RowError

_REF: Final = "#/components/schemas/{name}"
_NAME: Final = re.compile(r"\{(\w+)(?::[^{}]*)?\}")
#: Types that others are described by, though no body is one of them.
_MORE: Final = (ValueForm, RowError, Problem)
_ABOUT: Final = """\
Registration on one node: identifiers, enterprises and their prefixes, templates, accounts, limits.

Every answer has an `X-Request-Id`: what the request was called by its client, or else here.
Refusals are problem documents (RFC 9457). Lists come page by page: `next_cursor`, and
`Link: rel="next"`, say where the next page begins."""
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of an account: from a log-in, or one for programs.",
}
#: What stands in a path, by its name.
_IN_PATH: Final[Mapping[str, Mapping[str, Any]]] = {
    "identifier": {
        "description": "An identifier, percent-encoded; its slashes may stand as they are.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 63,
            "pattern": r"^[^/\u0000-\u001f\u007f-\u009f]+/[^\u0000-\u001f\u007f-\u009f]*$",
        },
        "example": "88.901.7/BOT-000001",
    },
    "prefix": {
        "description": "A prefix.",
        "schema": {"type": "string", "pattern": r"^[0-9A-Za-z][0-9A-Za-z.-]{0,62}$"},
        "example": "88.901.7",
    },
}


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The description as a JSON document."""
    types = [*_MORE, *_types(endpoints)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(map(_mark, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _NAME.sub(r"{\1}", endpoint.path)
        operation = _Operation(endpoint, schema_of, components).document()
        paths.setdefault(path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "idnode management API",
            "version": _version(),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in endpoints)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": _refusals(endpoints, schema_of[Problem]),
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def _refusals(endpoints: Iterable[Endpoint], problem: Any) -> dict[str, Any]:
    """The answers that are problem documents, by status."""
    codes: dict[int, dict[str, None]] = {}
    for outcome in chain.from_iterable(map(refusals, endpoints)):
        codes.setdefault(outcome.http, {})[outcome.slug] = None
    return {
        f"Refused{status}": {
            "description": ", ".join(f"`{code}`" for code in codes[status]),
            "headers": {REQUEST_ID.name: _header(REQUEST_ID)},
            "content": {MEDIA_TYPE: {"schema": problem}},
        }
        for status in sorted(codes)
    }


def _types(endpoints: Iterable[Endpoint]) -> list[Any]:
    found = chain.from_iterable(
        (each.body, each.query, *each.answers.values()) for each in endpoints
    )
    return list({_mark(kind): kind for kind in found if kind is not None}.values())


def _mark(kind: Any) -> Any:
    """What a type is known by: some cannot be keys."""
    return kind if isinstance(kind, type) else repr(kind)


class _Operation:
    """One endpoint as the description has it."""

    def __init__(
        self, endpoint: Endpoint, schemas: Mapping[Any, Any], components: Mapping[str, Any]
    ) -> None:
        self._endpoint = endpoint
        self._schemas = schemas
        self._components = components

    def document(self) -> dict[str, Any]:
        endpoint = self._endpoint
        found: dict[str, Any] = {
            "operationId": endpoint.name,
            "summary": endpoint.summary,
            "tags": [endpoint.tag],
            "security": [] if endpoint.operation is None else [{"bearer": []}],
            "parameters": [*self._in_path(), *self._in_query(), *map(_parameter, endpoint.takes)],
            "responses": self._responses(),
        }
        if endpoint.operation is not None:
            found["description"] = f"Needs the right `{endpoint.operation.value}`."
        if endpoint.body is not None:
            content = {endpoint.media: self._content(endpoint.media, endpoint.body)}
            if endpoint.media != JSON:
                content["text/plain"] = content[endpoint.media]
            found["requestBody"] = {"required": True, "content": content}
        return found

    def _schema(self, kind: Any) -> Any:
        return self._schemas[_mark(kind)]

    def _content(self, media: str, kind: Any) -> dict[str, Any]:
        """JSON by its schema; lines of it are a text, and the schema is that of a line."""
        schema = self._schema(kind)
        if media != JSON:
            schema = {"type": "string", "contentMediaType": media, "contentSchema": schema}
        return {"schema": schema}

    def _in_path(self) -> Iterable[dict[str, Any]]:
        for name in _NAME.findall(self._endpoint.path):
            known = _IN_PATH.get(name, {"schema": {"type": "string", "minLength": 1}})
            yield {"name": name, "in": "path", "required": True, **known}

    def _in_query(self) -> Iterable[dict[str, Any]]:
        if self._endpoint.query is None:
            return
        schema = self._schema(self._endpoint.query)
        struct = self._components[schema["$ref"].rpartition("/")[2]]
        for name, of_member in struct["properties"].items():
            required = name in struct.get("required", ())
            yield {"name": name, "in": "query", "required": required, "schema": _given(of_member)}

    def _responses(self) -> dict[str, Any]:
        endpoint = self._endpoint
        paged = endpoint.query is not None and issubclass(endpoint.query, PageQuery)
        headers = [REQUEST_ID, *endpoint.gives, *((NEXT,) if paged else ())]
        responses = {
            str(status): self._answer(status, kind, headers)
            for status, kind in endpoint.answers.items()
        }
        for status in sorted({outcome.http for outcome in refusals(endpoint)}):
            responses[str(status)] = {"$ref": f"#/components/responses/Refused{status}"}
        return responses

    def _answer(self, status: int, kind: Any, headers: Iterable[Header]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "description": _STATUS.get(status, "Done"),
            "headers": {header.name: _header(header) for header in headers},
        }
        if kind is not None:
            media = self._endpoint.answer_media
            found["content"] = {media: self._content(media, kind)}
        return found


_STATUS: Final = {200: "Done", 201: "Made", 202: "Taken in", 204: "Done; there is nothing to say"}


def _parameter(header: Header) -> dict[str, Any]:
    name, description, schema = header
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _header(header: Header) -> dict[str, Any]:
    return {"description": header.description, "schema": header.schema}


def _given(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a parameter that is given: null stands for one that is not."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return choices[0]  # type: ignore[no-any-return]
    shown = {name: text for name, text in schema.items() if name != "default" or text is not None}
    return shown | ({"anyOf": choices} if choices else {})


def _version() -> str:
    try:
        return version("idnode")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
