"""The log of refused authentications: what it says, what it never says, and how much of it."""

from __future__ import annotations

import logging

import pytest

from registry.errors import AuthenticationFailed
from registry.rights import Identity
from registry.schemes.handle import Key
from resolver.administration.security_log import BURST, LINES_A_SECOND, SecurityLog

WHO = Identity(Key("88.901", "ADMIN"), 300)


def test_a_line_says_who_and_what_and_why(caplog: pytest.LogCaptureFixture):
    SecurityLog().refused("192.0.2.7", WHO, "create_handle", AuthenticationFailed(), 0.0)
    (line,) = caplog.records
    assert (line.name, line.levelno) == ("resolver.security", logging.WARNING)
    for said in ("192.0.2.7", "300:88.901/ADMIN", "create_handle", "403"):
        assert said in line.getMessage()


def test_names_cannot_break_lines_or_fill_them(caplog: pytest.LogCaptureFixture):
    forged = Identity(Key("88.901", "X\u2028refused nothing" + "y" * 400), 1)
    SecurityLog().refused("192.0.2.7", forged, "create_handle", AuthenticationFailed(), 0.0)
    message = caplog.records[0].getMessage()
    assert "\u2028" not in message
    assert len(message) < 300


def test_a_flood_is_counted_and_not_written(caplog: pytest.LogCaptureFixture):
    log = SecurityLog()
    for _ in range(1000):
        log.refused("192.0.2.7", None, "create_handle", AuthenticationFailed(), 0.0)
    assert len(caplog.records) == BURST
    log.refused("192.0.2.7", None, "create_handle", AuthenticationFailed(), 1 / LINES_A_SECOND)
    assert f"{1000 - BURST:.0f} lines left out" in caplog.records[-1].getMessage()
