"""The protocol-neutral question and its answer: what every front-end translates to and from."""

from __future__ import annotations

from typing import NamedTuple

from registry.outcomes import Outcome
from registry.schemes.handle import Key


class Query(NamedTuple):
    """One resolution request.

    `asked` is the identifier as the client wrote it (it is echoed), `key` its canonical form.
    `indexes` and `types` select values as a union; both empty mean all. `public_only` drops values
    that anonymous clients may not read, otherwise they make the answer "authentication needed".
    `do_not_refer` forbids a referral; `fresh` bypasses caches of the recursive node.
    """

    asked: bytes
    key: Key
    indexes: tuple[int, ...] = ()
    types: tuple[bytes, ...] = ()
    public_only: bool = True
    do_not_refer: bool = False
    refer_prefix: bool = True
    fresh: bool = False


class Values(NamedTuple):
    """Success: `record` is the selected values in wire form (count and values).

    `ttl` is the seconds the answer may be kept from now on; `authoritative` is False for what came
    out of the recursive node's cache or from another node.
    """

    record: bytes
    ttl: int = 0
    authoritative: bool = True


class Referral(NamedTuple):
    """Another node knows: `record` holds its site values, `prefix` what it answers for.

    `outcome` is SERVICE_REFERRAL (302, ask there for this identifier) or PREFIX_REFERRAL (303, ask
    there for the record of a derived prefix).
    """

    outcome: Outcome
    prefix: str
    record: bytes
    ttl: int = 0


class Refused(NamedTuple):
    """A coded refusal. `detail` is safe to show; `ttl` is how long the refusal may be kept.

    `responsible` is the prefix whose node should be asked instead, when known.
    """

    outcome: Outcome
    detail: str = ""
    ttl: int = 0
    responsible: str | None = None


Answer = Values | Referral | Refused
