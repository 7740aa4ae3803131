"""TXT records of identifiers that differ from others in data and times only, in one step.

Such records have one shape (`registry.values.shape`), and their TXT records have one form, into
which timestamps and data are filled. What no form fits is put together value by value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from registry.values.shape import Shape, shape_of
from resolver.codecs.dns.rdata import MAX_STRING, is_text, shown, txt
from resolver.codecs.dns.reply import TXT, Records, records

_MAX_FORMS: Final = 1024
#: From this time on (2001) timestamps have ten digits.
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
    """Octets with `%` where timestamps, if the values are `timed`, and data belong.

    It is for data that is text (`_TEXT`), but for the values at `binary`.
    """

    octets: bytes
    number: int
    timed: bool
    binary: list[int]

    def filled(self, differences: tuple[Any, ...]) -> Records | None:
        """The records of timestamps and data in turns; None if the form does not fit them."""
        pieces = [*differences]
        for at in self.binary:
            data = pieces[2 * at + 1] = _shown_again(pieces[2 * at + 1])
            if not data.startswith(_BINARY):
                return None
        times, texts = pieces[::2], pieces[1::2]
        if _timed(times) is not self.timed or not is_text(b" ".join(texts)):
            return None
        return Records(self.number, self.octets % tuple(pieces if self.timed else texts))


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
    timed, data = _timed(differences[::2]), [*map(shown, differences[1::2])]
    if timed is None or max(map(len, data), default=0) > MAX_STRING:
        return None
    whole = (records(TXT, shape.survey.ttl, [rdata]).octets for rdata in txt(record))
    octets = b"".join(_piece(*of_value, timed) for of_value in zip(whole, data, strict=True))
    binary = [at for at, text in enumerate(data) if text.startswith(_BINARY)]
    return _Form(octets, len(data), timed, binary)


def _piece(octets: bytes, data: bytes, timed: bool) -> bytes:
    """The TXT record of one value as a format: the string `data` is its last."""
    head, length = octets[: -len(data) - 1], octets[-len(data) - 1 : -len(data)]
    time = b"%d" if timed else b""
    head = head[:-10] if timed else head
    filling = b"%b" if data.startswith(_BINARY) else _TEXT + b"%b"
    return head.replace(b"%", b"%%") + time + length.replace(b"%", b"%%") + filling


def _timed(times: tuple[int, ...] | list[int]) -> bool | None:
    """Whether values have timestamps of ten digits, all or none of them; None otherwise."""
    if min(times, default=0) >= _TEN_DIGITS:
        return True
    return None if any(times) else False
