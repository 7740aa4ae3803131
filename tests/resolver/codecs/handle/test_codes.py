from __future__ import annotations

from registry.outcomes import OUTCOMES
from resolver.codecs.handle.codes import (
    ADMINISTRATION,
    OpCode,
    ResponseCode,
    op_name,
    response_name,
)


def test_every_outcome_has_a_response_code() -> None:
    assert {outcome.handle for outcome in OUTCOMES.values()} <= {*ResponseCode}


def test_codes_have_words_and_unknown_ones_their_number() -> None:
    assert (op_name(1), op_name(77)) == ("resolve", "77")
    assert (response_name(301), response_name(77)) == ("not_responsible", "77")


def test_reading_is_no_administration() -> None:
    assert OpCode.RESOLVE not in ADMINISTRATION
    assert OpCode.CREATE_HANDLE in ADMINISTRATION
