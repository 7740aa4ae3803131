"""Questions that end alike: what differs in id and first label only is read in one step.

Names of identifiers under one prefix are such, asked by clients of one kind.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from resolver.codecs.dns.question import MAX_LABEL, MAX_NAME, Dropped, Rejected, read_question
from resolver.codecs.dns.reply import HEADER_SIZE, Question

_MAX_KNOWN: Final = 1024
#: Octets of the longest message whose ending is remembered.
_MAX_SIZE: Final = 4096
_ID_SIZE: Final = 2
#: Type and class behind the name in a question, and the length octet before its first label.
_TYPE_CLASS_SIZE, _LENGTH_SIZE = 4, 1


class _Ending(NamedTuple):
    """A question that was read, and how many octets the name, and all, have behind what differs.

    `name` counts those of the name behind its first label, `more` those behind the question.
    """

    question: Question
    name: int
    more: int


class Endings:
    """Reads questions as `read_question` does."""

    def __init__(self) -> None:
        #: By the header but the id, and all that stands behind the first label.
        self._known: dict[bytes, _Ending] = {}

    def read(self, data: bytes) -> Question | Rejected | Dropped:
        """What a datagram asks, whatever it is: nothing is raised."""
        if not HEADER_SIZE < len(data) <= _MAX_SIZE:
            return read_question(data)
        size = data[HEADER_SIZE]
        start = HEADER_SIZE + _LENGTH_SIZE
        key = data[_ID_SIZE:HEADER_SIZE] + data[start + size :]
        known = self._known.get(key)
        if known is None or not 0 < size <= min(MAX_LABEL, MAX_NAME - _LENGTH_SIZE - known.name):
            return self._read(data, key)
        question, _, more = known
        return Question(
            data[0] << 8 | data[1],
            question.recursion_desired,
            data[HEADER_SIZE : len(data) - more],
            (data[start : start + size].lower(), *question.labels[1:]),
            question.qtype,
            question.payload,
            question.dnssec_ok,
        )

    def _read(self, data: bytes, key: bytes) -> Question | Rejected | Dropped:
        question = read_question(data)
        if isinstance(question, Question) and question.labels:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            name = len(question.wire) - _TYPE_CLASS_SIZE - _LENGTH_SIZE - len(question.labels[0])
            more = len(data) - HEADER_SIZE - len(question.wire)
            self._known[key] = _Ending(question, name, more)
        return question
