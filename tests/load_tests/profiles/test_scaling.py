import pytest

from load_tests.profiles.loading import built_in, load, parse
from load_tests.profiles.scaling import scaled

CLOSED = (
    'name = "x"\ntitle = { en = "X", zh = "X" }\n[[load]]\nname = "r"\noperation = "dns-tcp"\n'
    'outstanding = 3\nstages = [{ for = "4s" }]\n'
)


@pytest.mark.parametrize("name", built_in())
def test_rate_and_duration_are_met_and_proportions_kept(name: str) -> None:
    before = load(name)
    after = scaled(before, 1234.0, 7.0)
    assert after.seconds == pytest.approx(7)
    stages = [[spec.stage() for spec in one.stages] for one in after.loads]
    assert sum(max(max(s.start, s.end) for s in of) for of in stages) == pytest.approx(1234)
    for old, new in zip(before.loads, after.loads, strict=True):
        factors = {
            round(spec.stage().seconds / was.stage().seconds, 6)
            for was, spec in zip(old.stages, new.stages, strict=True)
        }
        assert len(factors) == 1


def test_nothing_given_nothing_changed() -> None:
    before = load("steady")
    after = scaled(before, None, None)
    assert [spec.stage() for spec in after.loads[0].stages] == [
        spec.stage() for spec in before.loads[0].stages
    ]


def test_a_closed_loop_has_a_length_and_no_rate() -> None:
    profile = parse(CLOSED, "x.toml")
    assert scaled(profile, None, 1.0).seconds == pytest.approx(1)
    with pytest.raises(ValueError, match="closed loops"):
        scaled(profile, 100, None)
