"""What SQLAlchemy sends to the database, to count what must not grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine


@contextmanager
def recorded_statements() -> Iterator[list[str]]:
    """The first word of every statement of every engine, COMMIT and ROLLBACK included."""
    sent: list[str] = []

    def statement(_connection: object, _cursor: object, text: str, *_rest: object) -> None:
        sent.append(text.split()[0])

    def commit(_connection: Connection) -> None:
        sent.append("COMMIT")

    def rollback(_connection: Connection) -> None:
        sent.append("ROLLBACK")

    listeners = {"before_cursor_execute": statement, "commit": commit, "rollback": rollback}
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    try:
        yield sent
    finally:
        for name, listener in listeners.items():
            event.remove(Engine, name, listener)
