"""The steps of a walk as a reader sees them: whom was asked what, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry.schemes.handle import prefix_record
from registry.values.value import scan
from resolver.query import Answer, Referral, Values

CACHE: Final = "cache"
RECURSIVE: Final = "recursive"


@dataclass(frozen=True, slots=True)
class Step:
    """One question and its end. `ms` is how long it took; `cached` means that nobody was asked.

    `node` and `role` are what the site values say of the server; where they say nothing, `node` is
    the endpoint and `role` is empty. `response` begins with the Handle response code, if one came.
    """

    node: str
    role: str
    endpoint: str
    protocol: str
    question: str
    response: str
    ms: float
    cached: bool = False


def describe(answer: Answer) -> str:
    """An answer in a few words, its Handle response code first."""
    match answer:
        case Values(record=record):
            count = sum(1 for _ in scan(record))
            return f"1 ok, {count} {'value' if count == 1 else 'values'}"
        case Referral(outcome=outcome, prefix=prefix):
            target = str(prefix_record(prefix)) if prefix else "a derived prefix"
            return f"{outcome.handle} referral to {target}"
        case _:
            return f"{answer.outcome.handle} {answer.outcome.slug.replace('-', ' ')}"


def from_answer_cache(node: str, question: str, answer: Answer) -> Step:
    """The one step of an answer that was in the cache of the recursive node `node`."""
    return Step(node, RECURSIVE, "", CACHE, question, describe(answer), 0.0, cached=True)
