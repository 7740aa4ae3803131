"""Tests of templates: `<if value parameter test expression negate>` and the `<else>` behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from xml.etree.ElementTree import Element

from registry.errors import DecodeError
from registry.namespaces.patterns import Pattern, read_pattern
from registry.namespaces.text import EXTENSION, Reference, Scope, read_reference

#: Told how much work a test is before it is done.
Charge = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Condition:
    """What an `if` asks of the parameter `value`; it is known as `parameter` inside.

    It equals `expression`, or matches `pattern`, or is anything at all where both are None.
    """

    value: Reference
    parameter: str
    expression: str | None = None
    pattern: Pattern | None = None
    negate: bool = False

    def negated(self) -> Condition:
        """The condition of an `else` behind it."""
        return replace(self, negate=not self.negate)

    def enter(self, scope: Scope, charge: Charge) -> Scope | None:
        """The scope inside, None if the condition does not hold."""
        if self.expression is None and self.pattern is None:
            return None if self.negate else scope
        text = scope.look_up(self.value)
        if self.pattern is None:
            holds = text == self.expression
            return scope.with_text(self.parameter, text) if holds != self.negate else None
        charge(self.pattern.ways.of(len(text)))
        found = self.pattern.match(text)
        if (found is not None) == self.negate:
            return None
        if found is None:
            return scope.with_text(self.parameter, text)
        return scope.with_match(self.parameter, found)


#: What an `else` without an `if` negates.
ALWAYS: Final = Condition(Reference(EXTENSION, None), EXTENSION)


def read_condition(element: Element, ignore_case: bool) -> Condition:
    """The condition of an `if`. Raises DecodeError."""
    value = element.get("value", EXTENSION)
    parameter = element.get("parameter", value)
    test, expression = element.get("test"), element.get("expression")
    condition = Condition(read_reference(value), parameter, negate=element.get("negate") == "true")
    if expression is None:
        if test is not None or condition.negate:
            raise DecodeError("a test of a template without an expression")
        return condition
    if test == "matches":
        return replace(condition, pattern=read_pattern(expression, ignore_case))
    if test in (None, "equals"):
        return replace(condition, expression=expression)
    raise DecodeError(f"test of a template: {test[:40]!r}")
