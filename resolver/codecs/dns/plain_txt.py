"""Plain questions: for TXT records of identifiers whose suffix is read in its label as it is.

Clients of one kind ask such questions about the identifiers under one prefix: they differ in id and
first label only, and the replies in these and the records. What needs a closer look than that is
left to the general way (`endings`, `answer`), which says the same, octet for octet.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from registry.schemes.dns_name import plain_suffix, prefix_above
from registry.schemes.handle import Key
from registry.values.shape import shape_of
from registry.values.value import PUBLIC_READ
from resolver.codecs.dns.question import MAX_NAME, read_question
from resolver.codecs.dns.reply import HEADER_SIZE, TXT, Question, Sections, assemble
from resolver.codecs.dns.txt_form import filled
from resolver.codecs.dns.zone import ZoneView

_MAX_KNOWN: Final = 1024
#: Octets of the longest question whose ending is remembered.
_MAX_SIZE: Final = 512
_LABEL_AT: Final = HEADER_SIZE + 1
_TYPE_CLASS_SIZE: Final = 4
_ID: Final = slice(2)
_FLAGS, _ADDITIONAL = slice(2, 4), slice(10, HEADER_SIZE)
_ONE_QUESTION, _NO_AUTHORITY = b"\0\1", b"\0\0"


class Alike(NamedTuple):
    """Questions that end alike, about identifiers under `prefix`.

    Their first label has at most `longest` octets (0: they are not plain), and behind name, type
    and class are `more`. The other fields are parts of replies, and how long one may be.
    """

    prefix: str = ""
    longest: int = 0
    more: int = 0
    flags: bytes = b""
    additional: bytes = b""
    edns: bytes = b""
    limit: int = 0

    def reply(self, request: bytes, record: bytes) -> bytes | None:
        """The reply of an authority that has this record; None if the general way has to say."""
        shape = shape_of(record)
        if shape is None or not shape.survey.permissions & PUBLIC_READ:
            return None
        found = filled(shape, record)
        if found is None or not found.number:
            return None
        pieces = (
            request[_ID],
            self.flags,
            _ONE_QUESTION,
            found.number.to_bytes(2, "big"),
            _NO_AUTHORITY,
            self.additional,
            request[HEADER_SIZE : len(request) - self.more],
            found.octets,
            self.edns,
        )
        reply = b"".join(pieces)
        return reply if len(reply) <= self.limit else None


_NOT_PLAIN: Final = Alike()


class PlainTxt:
    """Reads plain questions that come over UDP."""

    def __init__(self, view: ZoneView) -> None:
        self._view = view
        #: By the header but the id, and all that stands behind the first label.
        self._known: dict[bytes, Alike] = {}

    def read(self, request: bytes) -> tuple[Alike, Key] | None:
        """A question, with the identifier that it is about; None if it is not plain."""
        if not HEADER_SIZE < len(request) <= _MAX_SIZE:
            return None
        end = _LABEL_AT + request[HEADER_SIZE]
        ending = request[2:HEADER_SIZE] + request[end:]
        alike = self._known.get(ending) or self._learn(request, ending)
        if end - _LABEL_AT > alike.longest:
            return None
        suffix = plain_suffix(request[_LABEL_AT:end].lower())
        return None if suffix is None else (alike, Key(alike.prefix, suffix))

    def _learn(self, request: bytes, ending: bytes) -> Alike:
        question = read_question(request)
        if not isinstance(question, Question) or not question.labels:
            # Others that end like this may be sound.
            return _NOT_PLAIN
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        alike = self._known[ending] = self._alike(question, len(request))
        return alike

    def _alike(self, question: Question, size: int) -> Alike:
        first, *others = question.labels
        prefix = prefix_above(tuple(others), self._view.zone)
        if prefix is None or question.qtype != TXT:
            return _NOT_PLAIN
        wire, limit = question.wire, question.udp_limit
        empty = assemble(question, Sections(authoritative=True), self._view.recursion, limit)
        end = HEADER_SIZE + len(wire)
        name = len(wire) - _TYPE_CLASS_SIZE
        longest = MAX_NAME - (name - len(first))
        return Alike(
            prefix, longest, size - end, empty[_FLAGS], empty[_ADDITIONAL], empty[end:], limit
        )
