"""What a store offers to search it, whichever database is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from registry.audit.log import Event
from registry.schemes.handle import Key
from registry.search.terms import TermRange

if TYPE_CHECKING:
    from registry.storage.interface import Row


class Reach(NamedTuple):
    """Keys from `first` on that come before `end`, by their octets."""

    first: tuple[str, str]
    end: tuple[str, str]

    def behind(self, key: tuple[str, str]) -> Reach:
        """Those of them that come behind a key; no identifier has a control character in it."""
        prefix, suffix = key
        return Reach(max(self.first, (prefix, suffix + "\x01")), self.end)


#: All there can be.
ALL: Final = Reach(("", ""), ("\U0010ffff", ""))


class Run(NamedTuple):
    """A run of the index, and how many identifiers it has terms of."""

    run: int
    identifiers: int


class Progress(NamedTuple):
    """How far the index is: it has everything that the audit log tells of up to entry `through`.

    While it is made from what is stored, it has that up to the key `at`, and `through` is where the
    log ended when that began. `key` is what terms are made with.
    """

    key: bytes
    through: int
    at: Key | None


class Told(NamedTuple):
    """What an entry of the audit log says of identifiers."""

    sequence: int
    event: str
    subject: str

    @property
    def is_batch(self) -> bool:
        return self.event == Event.BATCH_REGISTERED

    @property
    def key(self) -> Key | None:
        """The one identifier that it is about."""
        about_one = self.event.startswith("identifier:")
        return Key(*self.subject.split("/", 1)) if about_one else None


class Entered(NamedTuple):
    """A term of an identifier; `is_first` says that it was never there before."""

    term: int
    key: Key
    is_first: bool


class Searchable(Protocol):
    """What a search asks, and whoever keeps the index; each raises StorageUnavailable."""

    async def listed(self, reach: Reach, state: int | None, limit: int) -> list[Row]:
        """Identifiers in key order, in whatever state, or in one that is not active."""
        ...

    async def with_term(self, run: int, term: int, reach: Reach, limit: int) -> list[Row]:
        """Identifiers that had a term once, in key order."""
        ...

    async def next_term(self, run: int, terms: TermRange) -> int | None:
        """The first term of a run in a range."""
        ...

    async def search_runs(self) -> list[Run]:
        """The runs of the index, in the order in which they were filled."""
        ...

    async def search_progress(self) -> Progress | None:
        """How far the index is, None where there is none."""
        ...

    async def last_entry(self) -> int:
        """The number of the last entry of the audit log."""
        ...

    async def told(self, after: int, limit: int) -> list[Told]:
        """What the audit log says behind an entry."""
        ...

    async def batch(self, entry: int) -> list[str] | None:
        """The suffixes of a batch, None where they were not remembered."""
        ...


class Indexing(Protocol):
    """What is written of the index, in a transaction."""

    async def remember_batch(self, entry: int, suffixes: Iterable[str]) -> None:
        """Keep which identifiers a batch has, until they are in the index."""
        ...

    async def search_progress(self) -> Progress | None:
        """As `Searchable.search_progress`, with what this transaction has done."""
        ...

    async def enter(self, terms: Sequence[Entered]) -> None:
        """Add terms; those of identifiers that had others before only if no run has them."""
        ...

    async def set_search_progress(self, progress: Progress) -> None:
        """Say how far the index is; batches up to there are remembered no longer."""
        ...

    async def drop_search_index(self) -> None:
        """Forget all of the index."""
        ...
