"""The log of refused authentications: what it says, what it never says, and how much of it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from registry.clock import ManualClock
from registry.errors import AuthenticationFailed
from registry.membership import Identity
from registry.schemes.handle import Key
from resolver.administration.security_log import BURST, LINES_A_SECOND, SecurityLog

WHO = Identity(Key("88.901", "ADMIN"), 300)


def refuse(log: SecurityLog, who: Identity | None = None) -> None:
    log.refused("192.0.2.7", who, "create_handle", AuthenticationFailed())


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records]


def test_a_line_says_when_and_who_and_what_and_why(caplog: pytest.LogCaptureFixture):
    refuse(SecurityLog(ManualClock()), WHO)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("resolver.security", logging.WARNING)
    assert lines(caplog) == [
        {
            "time": "2023-11-14T22:13:20+00:00",
            "event": "refused",
            "operation": "create_handle",
            "source": "192.0.2.7",
            "administrator": "300:88.901/ADMIN",
            "code": 403,
            "reason": "The authentication failed",
        }
    ]


@pytest.mark.parametrize("breaks", ["\u2028", "\r\n", "\x85", '"}', "\x1b[2J", "\u202e", "\ud800"])
def test_names_cannot_break_lines_or_fill_them(breaks: str, caplog: pytest.LogCaptureFixture):
    forged = Identity(Key("88.901", f"X{breaks}refused nothing" + "y" * 400), 1)
    refuse(SecurityLog(ManualClock()), forged)
    (record,) = caplog.records
    message = record.getMessage()
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 400
    assert lines(caplog)[0]["administrator"].startswith(f"1:88.901/X{breaks}")


def test_a_flood_is_counted_and_not_written(caplog: pytest.LogCaptureFixture):
    clock = ManualClock()
    log = SecurityLog(clock)
    for _ in range(1000):
        refuse(log)
    assert len(caplog.records) == BURST
    clock.advance(1 / LINES_A_SECOND)
    refuse(log)
    assert lines(caplog)[-1]["left_out"] == 1000 - BURST
