"""What an identifier is and was, as the management API shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from registry.errors import Gone, InvalidValue, NotFound, OnHold
from registry.http.forms import History, Shown, Version, state_name
from registry.registration.lifecycle import State
from registry.schemes.handle import Key
from registry.storage.interface import Past
from registry.values.json_form import value_to_json
from registry.values.value import PUBLIC_READ, decode_record

_VERSION: Final = re.compile(r"[0-9]{1,10}")


def state_at(versions: Sequence[Past], at: str | None) -> Past:
    """The version that was there `at` a time (RFC 3339), or that has this number; None: now.

    Raises NotFound, InvalidValue for an `at` that is neither; of the present one also OnHold and
    Gone.
    """
    if at is None:
        return _present(versions)
    if _VERSION.fullmatch(at):
        found = [each for each in versions if each.row.version == int(at)]
    else:
        time = _milliseconds(at)
        found = [
            each
            for each in versions
            if each.made <= time and (each.ended is None or time < each.ended)
        ]
    if not found:
        raise NotFound("there was no such identifier")
    return found[-1]


def _present(versions: Sequence[Past]) -> Past:
    if not versions or versions[-1].ended is not None:
        raise NotFound()
    present = versions[-1]
    if present.row.state == State.ON_HOLD:
        raise OnHold("the identifier is on hold; ?at=VERSION shows what it holds")
    if present.row.state == State.REVOKED:
        raise Gone("the identifier was revoked; ?at=VERSION shows what it held")
    return present


def _milliseconds(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise InvalidValue("at is a version or a time as in 2024-05-01T12:00:00Z", field="at")
    return int(time.timestamp() * 1000)


def shown(past: Past) -> Shown:
    """A version with the values that everybody may read."""
    values = list(decode_record(past.row.record))
    public = [value for value in values if value.permissions & PUBLIC_READ]
    return Shown(
        identifier=str(past.row.key),
        values=[value_to_json(value) for value in public],
        restricted=len(values) - len(public),
        **_life(past),
    )


def told(key: Key, versions: Sequence[Past]) -> History:
    """All versions without their values, oldest first. Raises NotFound."""
    if not versions:
        raise NotFound()
    return History(str(key), [Version(**_life(past)) for past in versions])


def _life(past: Past) -> dict[str, Any]:
    members: dict[str, Any] = {
        "version": past.row.version,
        "state": state_name(past.row.state),
        "made": _time(past.made),
        "by": past.made_by,
    }
    if past.ended is not None:
        members |= {"ended": _time(past.ended), "ended_by": past.ended_by}
    return members


def _time(milliseconds: int) -> str:
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
