"""Plain questions are about what the general way finds, and never anything else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.codecs.dns.plain_txt import PlainTxt
from resolver.codecs.dns.question import read_question
from resolver.codecs.dns.reply import HEADER_SIZE, TXT, Question
from resolver.codecs.dns.zone import ZoneView, locate, name_server
from tests.support.dns_messages import query

VIEW = ZoneView((b"id", b"test"), name_server("127.0.0.1", 53), {"88.901.7"})
ASKED = query("bot-1.h.7.901.88.id.test", "TXT")


def beside(label: bytes, asked: bytes = ASKED) -> bytes:
    """A question like another but for its first label."""
    end = HEADER_SIZE + 1 + asked[HEADER_SIZE]
    return asked[:HEADER_SIZE] + bytes([len(label)]) + label + asked[end:]


def assert_read_alike(plain: PlainTxt, asked: bytes) -> None:
    found = plain.read(asked)
    if found is not None:
        question = read_question(asked)
        assert isinstance(question, Question)
        assert question.qtype == TXT
        assert locate(question, VIEW) == found[1]


def test_plain_questions_are_read() -> None:
    plain = PlainTxt(VIEW)
    for label, suffix in ((b"bot-1", "BOT-1"), (b"BoT--2", "BOT.2"), (b"x" * 63, "X" * 63)):
        found = plain.read(beside(label))
        assert found is not None
        assert found[1] == ("88.901.7", suffix)


def test_what_is_not_plain() -> None:
    plain = PlainTxt(VIEW)
    junk = (b"", ASKED[:HEADER_SIZE], ASKED[:-1], beside(b"x" * 64), beside(b""))
    names = ("x--64.h.7.901.88.id.test", "7.901.88.id.test", "h.7.901.88.id.test", "a.test", ".")
    others = (query("bot-1.h.7.901.88.id.test", "URI"), *(query(name, "TXT") for name in names))
    for asked in (*junk, *others):
        assert plain.read(asked) is None


def test_junk_does_not_spoil_what_ends_like_it() -> None:
    plain = PlainTxt(VIEW)
    assert plain.read(beside(b"x" * 64)) is None
    assert plain.read(ASKED) is not None


@given(st.lists(st.binary(max_size=70), max_size=5))
def test_names_beside_each_other(labels: list[bytes]) -> None:
    plain = PlainTxt(VIEW)
    for label in (*labels, b"bot-1", *labels):
        assert_read_alike(plain, beside(label))


@given(st.integers(0, len(ASKED) - 1), st.integers(0, 255))
def test_damaged_questions(at: int, octet: int) -> None:
    plain = PlainTxt(VIEW)
    damaged = ASKED[:at] + bytes([octet]) + ASKED[at + 1 :]
    for asked in (damaged, ASKED, damaged, beside(b"x", damaged), damaged[:at]):
        assert_read_alike(plain, asked)


def test_a_name_has_at_most_255_octets() -> None:
    prefix = "88." + ".".join(["1" * 60] * 3)
    above = ".".join(reversed(prefix.split(".")))
    asked = query(f"x.h.{above}.id.test", "TXT")
    for size in range(1, 64):
        plain = PlainTxt(VIEW)
        found = [plain.read(each) for each in (asked, beside(b"y" * size, asked))]
        assert found[0] is not None
        assert (found[1] is not None) == isinstance(
            read_question(beside(b"y" * size, asked)), Question
        )


def test_it_remembers_within_bounds() -> None:
    plain = PlainTxt(VIEW)
    for number in range(3000):
        assert_read_alike(plain, query(f"x.h.{number}.id.test", "TXT"))
