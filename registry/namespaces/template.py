"""Templates of HS_NAMESPACE: instructions that make values from a base, its record, an extension.

`value`, `if`/`else`, `foreach`, `def` and `notfound` as Handle.Net 9.3.1 reads them. A template is
compiled once into functions and then computes any number of records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from xml.etree.ElementTree import Element, tostring

from registry.errors import DecodeError
from registry.namespaces.conditions import ALWAYS, Condition, read_condition
from registry.namespaces.text import Scope, Text, read_text
from registry.values.value import Value

#: Most values that a template may make.
MAX_VALUES: Final = 256
#: Most characters of text that it may write on the way.
MAX_TEXT: Final = 131_072
#: Most instructions it may carry out, the ways of its patterns to match counted among them.
MAX_STEPS: Final = 20_000_000
_STEPS_OF_AN_INSTRUCTION: Final = 1_000
_MAX_INDEX: Final = 0x7FFF_FFFF


class NotComputable(Exception):  # noqa: N818 - what was asked for cannot be had
    """A template makes more than a record may hold, or takes too long. str() is safe to show."""


class _NotFound(Exception):  # noqa: N818 - it is what the template says
    """The template says that the identifier does not exist."""


@dataclass(slots=True)
class Computing:
    """One computation: `base_values` is the record of the base, `values` what was made so far."""

    base_values: Sequence[Value]
    values: list[Value] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    written: int = 0
    steps: int = 0

    def step(self, count: int = _STEPS_OF_AN_INSTRUCTION) -> None:
        self.steps += count
        if self.steps > MAX_STEPS:
            raise NotComputable("the template of the prefix takes too many steps")

    def write(self, text: Text, scope: Scope) -> str:
        pieces = []
        for piece in text(scope):
            self.written += len(piece)
            if self.written > MAX_TEXT:
                raise NotComputable("the template of the prefix makes too much text")
            pieces.append(piece)
        return "".join(pieces)

    def add(self, value: Value) -> None:
        """Keep a value, under the next free index if its own is taken."""
        index = value.index
        while index in self.taken:
            index += 1
        if len(self.values) == MAX_VALUES or index > _MAX_INDEX:
            raise NotComputable("the template of the prefix makes too many values")
        self.taken.add(index)
        self.values.append(replace(value, index=index))


#: Carries out one instruction, for one value of the base inside `foreach` (else None); the scope
#: for those behind it.
Instruction = Callable[[Computing, Scope, Value | None], Scope]
Block = Sequence[Instruction]


def compute(block: Block, computing: Computing, handle: str, base: str, extension: str) -> bool:
    """Carry a template out; False if it says that there is no such identifier.

    Raises NotComputable.
    """
    scope = Scope({"handle": handle, "base": base, "extension": extension}, {})
    try:
        _run(block, computing, scope, None)
    except _NotFound:
        return False
    return True


def read_block(element: Element, ignore_case: bool) -> Block:
    """The instructions inside an element; unknown elements are left out. Raises DecodeError."""
    block: list[Instruction] = []
    condition = ALWAYS
    for child in element:
        if child.tag == "if":
            condition = read_condition(child, ignore_case)
            block.append(_conditional(condition, read_block(child, ignore_case)))
        elif child.tag == "else":
            condition = condition.negated()
            block.append(_conditional(condition, read_block(child, ignore_case)))
        elif child.tag in _READERS:
            block.append(_READERS[child.tag](child, ignore_case))
    return block


def _run(block: Block, computing: Computing, scope: Scope, origin: Value | None) -> None:
    for instruction in block:
        computing.step()
        scope = instruction(computing, scope, origin)


# --- instructions ---


def _conditional(condition: Condition, block: Block) -> Instruction:
    """`<if>` or `<else>`."""

    def choose(computing: Computing, scope: Scope, origin: Value | None) -> Scope:
        inside = condition.enter(scope, computing.step)
        if inside is not None:
            _run(block, computing, inside, origin)
        return scope

    return choose


def _read_value(element: Element, _ignore_case: bool) -> Instruction:
    """`<value index type data>`: outside `foreach` it needs type and data, inside neither."""
    type_, data = element.get("type"), element.get("data", _content(element))
    write_type = None if type_ is None else read_text(type_)
    write_data = None if data is None else read_text(data)
    index = _read_index(element)

    def make(computing: Computing, scope: Scope, origin: Value | None) -> Scope:
        if origin is None and (write_type is None or write_data is None):
            return scope
        made = origin or Value(1, b"", b"")
        if write_type is not None:
            made = replace(made, type=computing.write(write_type, scope).encode())
        if write_data is not None:
            made = replace(made, data=computing.write(write_data, scope).encode())
        computing.add(made if index is None else replace(made, index=index))
        return scope

    return make


def _content(element: Element) -> str | None:
    """What stands inside an element: its text, or else its children as they are written."""
    text = (element.text or "").strip()
    return text or "".join(tostring(child, "unicode") for child in element) or None


def _read_index(element: Element) -> int | None:
    given = element.get("index")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit()) or not 0 < int(given[:11]) <= _MAX_INDEX:
        raise DecodeError(f"index of a value of a template: {given[:40]!r}")
    return int(given)


def _read_foreach(element: Element, ignore_case: bool) -> Instruction:
    """`<foreach>`: once for each value of the base, known as ${index}, ${type} and ${data}."""
    block = read_block(element, ignore_case)

    def repeat(computing: Computing, scope: Scope, origin: Value | None) -> Scope:
        if origin is None:
            for value in computing.base_values:
                known = {
                    "index": str(value.index),
                    "type": value.type.decode("utf-8", "replace"),
                    "data": value.data.decode("utf-8", "replace"),
                }
                _run(block, computing, Scope({**scope.texts, **known}, scope.groups), value)
        return scope

    return repeat


def _read_def(element: Element, ignore_case: bool) -> Instruction:
    """`<def parameter>`: the data of the first value made inside is a parameter from here on."""
    name = element.get("parameter")
    block = read_block(element, ignore_case)

    def define(computing: Computing, scope: Scope, origin: Value | None) -> Scope:
        aside = replace(computing, values=[], taken=set())
        _run(block, aside, scope, origin)
        computing.steps, computing.written = aside.steps, aside.written
        if name is None or not aside.values:
            return scope
        return scope.with_text(name, aside.values[0].data.decode("utf-8", "replace"))

    return define


def _read_notfound(_element: Element, _ignore_case: bool) -> Instruction:
    def end(_computing: Computing, _scope: Scope, _origin: Value | None) -> Scope:
        raise _NotFound

    return end


_READERS: Final[dict[str, Callable[[Element, bool], Instruction]]] = {
    "value": _read_value,
    "foreach": _read_foreach,
    "def": _read_def,
    "notfound": _read_notfound,
}
