"""Limits on registrations, counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import RegistrationQuotaSpent
from registry.quotas.quota import RegistrationLimit, RegistrationMeter

APP = RegistrationLimit("account:line-3", 5, 3)
ENTERPRISE = [
    RegistrationLimit("enterprise:E7", 10, 6, "88.901.7"),
    RegistrationLimit("enterprise:E7", 10, 6, "88.901.8"),
]


def test_without_limits_anything_goes() -> None:
    meter = RegistrationMeter()
    meter.take("line-3", "88.901.7", 10**9)
    assert meter.left("line-3", "88.901.7") is None
    assert not meter.taken


def test_the_nearest_limit_counts() -> None:
    meter = RegistrationMeter([APP, *ENTERPRISE])
    assert meter.left("line-3", "88.901.7") == 2
    assert meter.left("line-4", "88.901.7") == 4
    assert meter.left("line-4", "88.901.7.1") == 4, "what is below a prefix belongs to it"
    assert meter.left("line-3", "88.901.9") == 2
    assert meter.left("line-4", "88.901.9") is None
    assert meter.left("line-4", "88.901") is None


def test_all_prefixes_of_an_enterprise_share_its_limit() -> None:
    meter = RegistrationMeter(ENTERPRISE)
    meter.take("a", "88.901.7", 3)
    meter.take("b", "88.901.8")
    assert meter.taken == {"enterprise:E7": 4}
    with pytest.raises(RegistrationQuotaSpent, match="enterprise:E7 may register 10 identifiers"):
        meter.take("a", "88.901.7")
    assert str(meter.refusal("a", "88.901.8")).startswith("enterprise:E7")


def test_a_limit_below_what_is_used_leaves_nothing() -> None:
    meter = RegistrationMeter([RegistrationLimit("account:line-3", 1, 3)])
    assert meter.left("line-3", "88") == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["line-3", "line-4"]),
            st.sampled_from(["88.901.7", "88.901.8", "88.901.9"]),
            st.integers(1, 3),
        )
    )
)
def test_no_limit_is_ever_passed(asked: list[tuple[str, str, int]]) -> None:
    meter = RegistrationMeter([APP, *ENTERPRISE])
    for name, prefix, count in asked:
        left, before = meter.left(name, prefix), meter.taken.copy()
        try:
            meter.take(name, prefix, count)
        except RegistrationQuotaSpent:
            assert left is not None
            assert left < count
            assert meter.taken == before
    assert meter.taken["account:line-3"] <= 2
    assert meter.taken["enterprise:E7"] <= 4
