"""TXT records of identifiers that differ from others in data and times only, in one step.

Such records have one shape (`registry.values.shape`), and their TXT records have one form, into
which timestamps and data are filled. What no form fits is put together value by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

from registry.values.shape import Shape, shape_of
from resolver.codecs.dns.rdata import MAX_STRING, is_text, shown, txt
from resolver.codecs.dns.reply import TXT, Records, records

_MAX_FORMS: Final = 1024
#: Timestamps have so many digits from this one (2001) on.
_DIGITS: Final = 10
_TEN_DIGITS: Final = 1_000_000_000
_TEXT, _BINARY = b"data=", b"data64="
_forms: Final[dict[Shape, _Form | None]] = {}
_shown_again: Final = lru_cache(1024)(shown)


def txt_records(record: bytes, ttl: int) -> Records:
    """The values of a stored record as TXT records. Raises TooLarge."""
    shape = shape_of(record)
    if shape is not None and ttl == shape.survey.ttl and (found := filled(shape, record)):
        return found
    return records(TXT, ttl, txt(record))


def filled(shape: Shape, record: bytes) -> Records | None:
    """The TXT records of a stored record of this shape; None if they have no form or do not fit."""
    form = _form_of(shape, record)
    return None if form is None else form.filled(shape.differences(record))


class _Form(NamedTuple):
    """What alike TXT records have in common, with a gap (nothing) wherever they differ.

    For each value there is a gap for its timestamp, if the values are `timed`, and one for its
    data. It is for data that is text (`_TEXT`), but for the values at `binary`.
    """

    pieces: list[bytes]
    number: int
    timed: bool
    binary: list[int]

    def filled(self, differences: tuple[Any, ...]) -> Records | None:
        """The records of timestamps and data in turns; None if the form does not fit them."""
        texts = [*differences[1::2]]
        for at in self.binary:
            data = texts[at] = _shown_again(texts[at])
            if not data.startswith(_BINARY):
                return None
        times = _shown_times(differences[::2])
        if times is None or bool(times) is not self.timed or not is_text(b" ".join(texts)):
            return None
        pieces = self.pieces.copy()
        if times:
            pieces[1::4], pieces[3::4] = times, texts
        else:
            pieces[1::2] = texts
        return Records(self.number, b"".join(pieces))


def _form_of(shape: Shape, record: bytes) -> _Form | None:
    """The form of a shape, made of the first record that asks; None if there is none."""
    try:
        return _forms[shape]
    except KeyError:
        if len(_forms) >= _MAX_FORMS:
            _forms.clear()
        form = _forms[shape] = _made(shape, record)
        return form


def _made(shape: Shape, record: bytes) -> _Form | None:
    differences: tuple[Any, ...] = shape.differences(record)
    times, data = _shown_times(differences[::2]), [*map(shown, differences[1::2])]
    if times is None or max(map(len, data), default=0) > MAX_STRING:
        return None
    timed = bool(times)
    whole = (records(TXT, shape.survey.ttl, [rdata]).octets for rdata in txt(record))
    pieces = chain.from_iterable(
        _pieces(octets, text, timed) for octets, text in zip(whole, data, strict=True)
    )
    binary = [at for at, text in enumerate(data) if text.startswith(_BINARY)]
    return _Form([*pieces], len(data), timed, binary)


def _pieces(octets: bytes, data: bytes, timed: bool) -> list[bytes]:
    """The TXT record of one value with its gaps: the string `data` is its last."""
    head, length = octets[: -len(data) - 1], octets[-len(data) - 1 : -len(data)]
    behind = length if data.startswith(_BINARY) else length + _TEXT
    return [head[:-_DIGITS], b"", behind, b""] if timed else [head + behind, b""]


def _shown_times(times: Sequence[int]) -> list[bytes] | None:
    """Timestamps that have ten digits each, nothing if there is none; else None."""
    if times and times.count(times[0]) == len(times) and times[0] >= _TEN_DIGITS:
        # Nearly always a record was written at once.
        return [b"%d" % times[0]] * len(times)
    if min(times, default=0) < _TEN_DIGITS:
        return None if any(times) else []
    return [b"%d" % time for time in times]
