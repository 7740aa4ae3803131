"""Questions read by their ending are read as alone."""

from __future__ import annotations

import dns.message
import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.codecs.dns.endings import Endings
from resolver.codecs.dns.question import read_question
from resolver.codecs.dns.reply import HEADER_SIZE, Question
from tests.support.dns_messages import query

ASKED = query("bot-1.h.7.901.88.id.test")


def beside(label: bytes, asked: bytes = ASKED) -> bytes:
    """A question like another but for its first label."""
    end = HEADER_SIZE + 1 + asked[HEADER_SIZE]
    return asked[:HEADER_SIZE] + bytes([len(label)]) + label + asked[end:]


@given(st.lists(st.binary(max_size=70), max_size=5))
def test_names_beside_each_other(labels: list[bytes]) -> None:
    endings = Endings()
    for label in (b"bot-1", *labels, b"BOT-2"):
        asked = beside(label[:255])
        assert endings.read(asked) == read_question(asked)


@given(st.integers(0, len(ASKED) - 1), st.integers(0, 255))
def test_damaged_questions(at: int, octet: int) -> None:
    endings = Endings()
    damaged = ASKED[:at] + bytes([octet]) + ASKED[at + 1 :]
    for asked in (ASKED, damaged, damaged, beside(b"x", damaged), damaged[:at]):
        assert endings.read(asked) == read_question(asked)


@given(st.binary(max_size=80))
def test_junk(data: bytes) -> None:
    endings = Endings()
    for asked in (ASKED, data, data, ASKED[:HEADER_SIZE] + data):
        assert endings.read(asked) == read_question(asked)


@pytest.mark.parametrize("size", [1, 40, 62, 63])
def test_a_name_has_at_most_255_octets(size: int) -> None:
    rest = [b"a" * 60, b"b" * 60, b"c" * 60, b"d" * 25]
    short = dns.message.make_query(dns.name.Name([b"x", *rest, b""]), "TXT").to_wire()
    endings = Endings()
    assert isinstance(endings.read(short), Question)
    longer = beside(b"y" * size, short)
    assert endings.read(longer) == read_question(longer)


def test_it_remembers_within_bounds() -> None:
    endings = Endings()
    for number in range(3000):
        asked = query(f"x.{number}.id.test")
        assert endings.read(asked) == read_question(asked)
