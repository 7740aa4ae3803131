from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.search.terms import is_searched, term_range, terms_of
from registry.values.value import PUBLIC_READ, Value, encode_record

KEY = b"k" * 16
TYPES = st.sampled_from([b"URL", b"url", b"DESC", b"HS_ADMIN", b"hs_x", "名称".encode()])
VALUES = st.builds(
    Value,
    index=st.integers(1, 3000),
    type=TYPES,
    data=st.binary(max_size=6),
    permissions=st.sampled_from([0b1110, 0b1100]),
)


@given(st.lists(VALUES, max_size=5))
def test_each_value_that_is_searched_has_a_term_in_its_ranges(values: list[Value]) -> None:
    terms = terms_of(encode_record(values), KEY)
    searched = [value for value in values if is_searched(value.type, value.permissions)]
    assert len(terms) <= len(searched)
    for value in searched:
        exact = term_range(value.data, value.type.swapcase(), KEY)
        any_type = term_range(value.data, None, KEY)
        assert exact.first == exact.last
        assert exact.first in terms
        assert any_type.first <= exact.first <= any_type.last
    assert all(-(1 << 63) <= term < 1 << 63 for term in terms)


def test_what_is_not_searched() -> None:
    assert is_searched(b"URL", PUBLIC_READ)
    assert not is_searched(b"URL", 0b1101)
    assert not is_searched(b"Hs_SecKey", 0b1110)


def test_terms_of_another_key_are_others() -> None:
    record = encode_record([Value(1, b"URL", b"x")])
    assert terms_of(record, KEY) != terms_of(record, b"l" * 16)
