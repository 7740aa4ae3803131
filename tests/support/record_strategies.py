"""Values and records of all kinds, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from registry.values.value import Reference, Value

U32 = st.integers(0, 2**32 - 1)
VALUES = st.builds(
    Value,
    index=U32,
    type=st.binary(max_size=20),
    data=st.binary(max_size=300),
    ttl_type=st.integers(0, 1),
    ttl=U32,
    timestamp=U32,
    permissions=st.integers(0, 15),
    references=st.lists(st.builds(Reference, st.binary(max_size=9), U32), max_size=2).map(tuple),
)
