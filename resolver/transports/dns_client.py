"""One DNS question for the TXT records of an identifier, over UDP and, when cut, over TCP."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any, Final

import dns.asyncbackend
import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

EDNS_PAYLOAD: Final = 1232


@dataclass(frozen=True, slots=True)
class TxtAnswer:
    """What the server said: its rcode, each TXT record's strings, the text of extended errors."""

    rcode: int
    records: list[tuple[bytes, ...]]
    errors: str


class NoDnsReply(Exception):  # noqa: N818 - silence is an outcome
    """The server gave no usable reply."""


async def ask_txt(
    host: str,
    port: int,
    name: str,
    *,
    timeout: float,  # noqa: ASYNC109 - dnspython keeps the deadline
) -> TxtAnswer:
    """Ask for `name` TXT with recursion desired. Raises NoDnsReply."""
    where = f"dns://{host}:{port}"
    question = dns.message.make_query(name, dns.rdatatype.TXT, use_edns=0, payload=EDNS_PAYLOAD)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, _, _, _, (address, *_) = found[0]
        # A connected socket, which hears that nobody listens there.
        backend: Any = dns.asyncbackend.get_default_backend()
        to = (address, port)
        async with await backend.make_socket(family, socket.SOCK_DGRAM, destination=to) as udp:
            reply, _ = await dns.asyncquery.udp_with_fallback(
                question,
                str(address),
                timeout=timeout,
                port=port,
                ignore_unexpected=True,
                udp_sock=udp,
            )
    except dns.exception.Timeout:
        raise NoDnsReply(f"{where}: no reply within {timeout:g} s") from None
    except (dns.exception.DNSException, OSError, EOFError) as error:
        raise NoDnsReply(f"{where}: {error or type(error).__name__}") from None
    records = [
        tuple(record.strings)
        for rrset in reply.answer
        for record in rrset
        if isinstance(record, TXT)
    ]
    return TxtAnswer(int(reply.rcode()), records, _errors(reply))


def _errors(reply: dns.message.Message) -> str:
    extended = [option for option in reply.options if isinstance(option, dns.edns.EDEOption)]
    return "; ".join(option.text for option in extended if option.text)
