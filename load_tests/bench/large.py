"""What a store of many identifiers costs whoever reads it: by itself, and behind a node."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Final, NamedTuple

from load_tests.bench.figure import Figure
from load_tests.bench.loads import Records, over_dns, over_handle
from load_tests.bench.measuring import Contender, compare, once
from load_tests.bench.server import Topology
from registry.errors import StorageUnavailable
from registry.schemes.handle import Key
from registry.storage.sqlite_lookup import SqliteLookup, open_reader

#: Reads of the store by itself, and names asked of the node once.
_READS: Final = 20_000
_ASKED: Final = 50_000
#: Names that are asked for again and again.
_FEW: Final = 1_000
_PIECE: Final = 1 << 24


class Names(NamedTuple):
    """The identifiers of a store: those with the numbers below `total` in the format `suffix`."""

    prefix: str
    suffix: str
    total: int

    def drawn(self, most: int, seed: int) -> list[Key]:
        """Different ones, drawn uniformly."""
        numbers = random.Random(seed).sample(range(self.total), min(most, self.total))
        return [Key(self.prefix, self.suffix.format(number)) for number in numbers]


@dataclass
class _Turns:
    """How long the same names are asked for."""

    seconds: float = 1.0
    rounds: int = 3


def reads(path: Path, names: Names) -> Iterator[Figure]:
    """The size of the file, and reads of names that were read before and that were not."""
    yield Figure("store", path.stat().st_size / 1e9, "GB", "< 4 at 10 million")
    few, many = names.drawn(_FEW, 2), names.drawn(_READS, 3)
    with closing(open_reader(path)) as connection:
        lookup = SqliteLookup(connection)
        _read(lookup, few)
        yield Figure("read, warm", _read(lookup, few * (_READS // len(few))), "us")
        yield Figure("read, cold, uniform", _read(lookup, many), "us", "<= 20")
    forget(path)
    with closing(open_reader(path)) as connection:
        began = process_time()
        took = _read(SqliteLookup(connection), many)
        used = (process_time() - began) / len(many) * 1e6
        yield Figure("read, file not in memory: CPU", used, "us", "<= 20")
        yield Figure("read, file not in memory: with the disk", took, "us")


def forget(path: Path) -> None:
    """Have the system drop what it keeps of a file, so that it is read from the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _remember(path: Path) -> None:
    """Have the system keep a file."""
    with path.open("rb") as file:
        while file.read(_PIECE):
            pass


def answers(node: Topology, name: str, path: Path, names: Names) -> Iterator[Figure]:
    """Over UDP: names drawn from the whole store once each, and a few again and again."""
    _remember(path)
    for seed, over in enumerate((over_handle, over_dns), 4):
        whole = over(_known(path, names.drawn(_ASKED, seed)))
        few = whole._replace(templates=whole.templates[:_FEW])
        _, port = node.address(name, whole.service)
        asked = Contender(f"{whole.name}, uniform over the store", node.server, port, whole)
        yield once(asked)
        again = asked._replace(name=f"{whole.name}, few of the store", load=few)
        with tempfile.TemporaryDirectory(prefix="idnode-bench-") as directory:
            yield from compare([again], Path(directory), _Turns())


def _known(path: Path, drawn: Sequence[Key]) -> Records:
    with closing(open_reader(path)) as connection:
        lookup = SqliteLookup(connection)
        return [(name, lookup.record(*name) or b"") for name in drawn]


def _read(lookup: SqliteLookup, names: Sequence[Key]) -> float:
    """Microseconds a read."""
    began = perf_counter()
    for name in names:
        if lookup.record(*name) is None:
            raise StorageUnavailable(f"{name} is not there")
    return (perf_counter() - began) / len(names) * 1e6
