from __future__ import annotations

import pytest

from registry.schemes.handle import parse
from registry.trust.claims import Permission
from registry.trust.permissions import covers, prefix_permissions

#: scope, where it starts, identifier, whether it is covered
CASES = [
    ("everything", None, "88.901/X", True),
    ("everything", "0.NA/1", "88.901/X", True),
    ("thisHandle", "0.NA/88.901", "0.na/88.901", True),
    ("thisHandle", "88.901/x", "88.901/X", True),
    ("thisHandle", "0.NA/88.901", "88.901/X", False),
    ("thisHandle", "0.NA/88.901", "0.NA/88.901.7", False),
    ("handlesUnderThisPrefix", "0.NA/88.901", "88.901/X", True),
    ("handlesUnderThisPrefix", "0.NA/88.901", "0.NA/88.901", False),
    ("handlesUnderThisPrefix", "0.NA/88.901", "88.901.7/X", False),
    ("handlesUnderThisPrefix", "0.NA/88.9", "88.901/X", False),
    ("handlesUnderThisPrefix", "88.901/X", "88.901/X", False),
    ("derivedPrefixes", "0.NA/88.901", "88.901.7/X", True),
    ("derivedPrefixes", "0.NA/88", "88.901.7/X", True),
    ("derivedPrefixes", "0.NA/88.901", "0.NA/88.901.7", True),
    ("derivedPrefixes", "0.NA/88.901", "0.NA/88.901", False),
    ("derivedPrefixes", "0.NA/88.901", "88.901/X", False),
    ("derivedPrefixes", "0.NA/88.9", "88.901/X", False),
    ("derivedPrefixes", "88/901", "88.901.7/X", False),
    ("thisHandle", None, "88.901/X", False),
    ("thisHandle", "/", "88.901/X", False),
    ("Everything", None, "88.901/X", False),
    ("all", "0.NA/88.901", "88.901/X", False),
]


@pytest.mark.parametrize(("perm", "start", "identifier", "covered"), CASES)
def test_scopes(perm, start, identifier, covered):
    assert covers([Permission(perm=perm, handle=start)], parse(identifier)) is covered


def test_no_permission_covers_nothing():
    assert not covers([], parse("88.901/X"))


@pytest.mark.parametrize("identifier", ["0.NA/88.901", "88.901/X", "0.NA/88.901.7", "88.901.7/X"])
def test_a_prefix_may_sign_itself_and_all_below(identifier):
    assert covers(prefix_permissions("88.901"), parse(identifier))
    assert not covers(prefix_permissions("88.902"), parse(identifier))
