from __future__ import annotations

import pytest

from registry.errors import Overloaded, SessionUnknown
from registry.membership import Identity
from registry.schemes.handle import Key
from resolver.administration.web_sessions import IDLE, WebSessions

ALICE = Identity(Key("88.901", "ALICE"), 300)


def test_sessions_differ_and_are_found():
    sessions = WebSessions()
    one, two = sessions.open("a", 0.0), sessions.open("a", 0.0)
    assert one.session_id != two.session_id
    assert one.nonce != two.nonce
    assert sessions.find(one.session_id, 1.0) is one
    with pytest.raises(SessionUnknown):
        sessions.find("nobody's", 1.0)


def test_use_keeps_a_session_and_idleness_ends_it():
    sessions = WebSessions()
    used, idle = sessions.open("a", 0.0), sessions.open("a", 0.0)
    sessions.prove(used, ALICE, "proof")
    assert sessions.find(used.session_id, IDLE - 1).identity == ALICE
    assert sessions.find(used.session_id, IDLE + 1) is used
    with pytest.raises(SessionUnknown):
        sessions.find(idle.session_id, IDLE + 1)
    assert len(sessions) == 1


def test_an_ended_session_proves_nothing():
    sessions = WebSessions()
    session = sessions.open("a", 0.0)
    sessions.end(session)
    sessions.end(session)
    sessions.prove(session, ALICE, "proof")
    assert session.identity is None
    assert len(sessions) == 0


def test_a_source_loses_its_own_oldest_open_session_first():
    sessions = WebSessions(per_source=2)
    proved, unproved = sessions.open("a", 0.0), sessions.open("a", 0.0)
    sessions.prove(proved, ALICE, "proof")
    other = sessions.open("b", 0.0)
    sessions.open("a", 1.0)
    assert sessions.find(proved.session_id, 1.0) is proved
    assert sessions.find(other.session_id, 1.0) is other
    with pytest.raises(SessionUnknown):
        sessions.find(unproved.session_id, 1.0)


def test_strangers_never_displace_who_has_proved_who_they_are():
    sessions = WebSessions(total=2)
    for source in "ab":
        sessions.prove(sessions.open(source, 0.0), ALICE, "proof")
    with pytest.raises(Overloaded):
        sessions.open("c", 1.0)
    assert sessions.open("c", IDLE + 1).source == "c"
