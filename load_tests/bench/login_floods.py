"""What floods of log-ins and of requests for signatures cost those who only resolve.

    python -m load_tests.bench.login_floods [--out FILE] [--seconds S]

The node is on the first core. On the last one resolution over Handle UDP keeps the node busy, and a
process that comes second floods: with log-ins whose password is wrong, or with requests for signed
replies, no two of them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from load_tests.bench.accounts import fetch
from load_tests.bench.cores import leave_first
from load_tests.bench.figure import Figure, tell
from load_tests.bench.overload import NODE, Target, target_on
from resolver.codecs.handle.asking import RESOLVER_FLAGS
from resolver.codecs.handle.bodies.resolution import ResolveRequest, encode_resolve_request
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import CT
from resolver.codecs.handle.message import Message, encode_message

#: Connections of a flood, and requests under way on each.
CONNECTIONS: Final = 16
DEPTH: Final = 16
#: Seconds of resolution before it is measured.
WARM_UP: Final = 1.0
#: What the flood waits for those who resolve, who share its core.
_NICE: Final = 10
_VALID: Final = 0x7FFF_FFFF

Request = Callable[[int], bytes]


def log_in(number: int) -> bytes:
    """A log-in with a wrong password, each for another account."""
    body = b'{"username":"nobody-%d","password":"not the password"}' % number
    head = b"POST /v1/tokens HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def signed(number: int) -> bytes:
    """A request for a signed reply."""
    body = encode_resolve_request(ResolveRequest(b"0.NA/88.901"))
    flags = RESOLVER_FLAGS | CT
    return encode_message(
        Message(OpCode.RESOLVE, body=body, op_flags=flags, request_id=number, expiration=_VALID)
    )


async def _pour(address: tuple[str, int], request: Request, numbers: Iterator[int]) -> None:
    """Send requests for ever, some ahead of the replies, which nobody looks at."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(*address)
            for number in itertools.islice(numbers, DEPTH):
                writer.write(request(number))
            while await reader.read(65_536):
                writer.write(request(next(numbers)))
                await writer.drain()


async def _flood(address: tuple[str, int], request: Request) -> None:
    numbers = itertools.count(1)
    await asyncio.gather(*(_pour(address, request, numbers) for _ in range(CONNECTIONS)))


def _run(address: tuple[str, int], request: Request) -> None:
    os.nice(_NICE)
    asyncio.run(_flood(address, request))


@contextlib.contextmanager
def flood(address: tuple[str, int], request: Request) -> Iterator[None]:
    """Flood a service until the block ends."""
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(address, request))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def measure(core: int, seconds: float) -> Iterator[Figure]:
    """Resolution alone, and beside each flood in turn."""
    floods = {
        "log-ins": ("http", "http", log_in),
        "signatures": ("handle", "handle-tcp", signed),
    }
    with target_on(core) as target:
        metrics = target.node.url(NODE, "metrics")
        for name, (service, protocol, request) in floods.items():
            alone = _rate(target, seconds)
            with flood(target.node.address(NODE, service), request):
                before = fetch(metrics, protocol).received
                beside = _rate(target, seconds)
                flooded = fetch(metrics, protocol).received - before
            yield Figure(f"resolution alone, before {name}", alone, "/s")
            yield Figure(f"beside a flood of {name}", beside, "/s")
            yield Figure(f"{name} asked for meanwhile", flooded / (seconds + WARM_UP), "/s")
            yield Figure(f"lost by {name}", 100 * (1 - beside / alone), "%", "<= 10")


def _rate(target: Target, seconds: float) -> float:
    """Answers a second, the node kept busy."""
    target.peak(WARM_UP)
    return target.peak(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.login_floods")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    options = parser.parse_args()
    tell(measure(leave_first(), options.seconds), options.out)


if __name__ == "__main__":
    main()
