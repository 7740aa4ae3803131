"""Text with parameters, as the attributes of templates have it: `https://x.example/${extension}`.

`${name}` is a parameter, `${name[2]}` the second group of the pattern that it matched, `$2` and
`${2}` the same of `extension`; a backslash takes the next character as it is. What is not set is
empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

EXTENSION: Final = "extension"
_TOKEN: Final = re.compile(
    r"\\(?P<plain>.)|\$(?P<digits>[0-9]{1,6})|\$\{(?P<name>[^}]*)\}", re.DOTALL
)
_GROUP: Final = re.compile(r"(?P<name>.*)\[(?P<index>[0-9]{1,6})\]|(?P<bare>[0-9]{1,6})", re.DOTALL)


class Reference(NamedTuple):
    """A parameter; `group` None is its text, else a group of the pattern that it matched."""

    name: str
    group: int | None


class Scope(NamedTuple):
    """Parameters, and the groups of those that a pattern has matched."""

    texts: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]]

    def with_text(self, name: str, text: str) -> Scope:
        groups = {other: found for other, found in self.groups.items() if other != name}
        return Scope({**self.texts, name: text}, groups)

    def with_match(self, name: str, found: re.Match[str]) -> Scope:
        groups = (found[0], *found.groups(""))
        return Scope({**self.texts, name: found[0]}, {**self.groups, name: groups})

    def look_up(self, reference: Reference) -> str:
        name, group = reference
        if group is None or (group == 0 and name not in self.groups):
            return self.texts.get(name, "")
        groups = self.groups.get(name, ())
        return groups[group] if group < len(groups) else ""


Text = Callable[[Scope], Iterator[str]]


def read_text(text: str) -> Text:
    """The text as a function from parameters to its pieces."""
    pieces: list[str | Reference] = []
    end = 0
    for token in _TOKEN.finditer(text):
        pieces.append(text[end : token.start()])
        pieces.append(_piece(token))
        end = token.end()
    pieces.append(text[end:])

    def fill(scope: Scope) -> Iterator[str]:
        for piece in pieces:
            yield piece if isinstance(piece, str) else scope.look_up(piece)

    return fill


def read_reference(name: str) -> Reference:
    """What stands between the braces of a parameter."""
    group = _GROUP.fullmatch(name)
    if group is None:
        return Reference(name, None)
    if group["bare"] is not None:
        return Reference(EXTENSION, int(group["bare"]))
    return Reference(group["name"], int(group["index"]))


def _piece(token: re.Match[str]) -> str | Reference:
    if token["plain"] is not None:
        return token["plain"]
    if token["digits"] is not None:
        return Reference(EXTENSION, int(token["digits"]))
    return read_reference(token["name"])
