"""Profiles: those that ship are sound; of a bad one everything is named, with its line."""

import pytest

from load_tests.profiles.loading import ProfileError, built_in, load, parse
from load_tests.profiles.model import Profile

HEAD = 'name = "x"\ntitle = { en = "X", zh = "X" }\n'
GOOD = (
    HEAD + '[[load]]\nname = "r"\noperation = "handle-udp"\nstages = [{ for = "1s", rate = 5 }]\n'
)


def problems(text: str) -> str:
    with pytest.raises(ProfileError) as raised:
        parse(text, "x.toml")
    return str(raised.value)


@pytest.mark.parametrize("name", built_in())
def test_what_ships_can_be_read(name: str) -> None:
    profile = load(name)
    assert profile.name == name
    assert profile.thresholds


def test_the_profiles_that_people_ask_for_are_there() -> None:
    wanted = {"baijiu-holiday", "production-line", "recall-burst", "cold-start", "attack-mix"}
    assert wanted | {"soak", "steady"} <= set(built_in())


def test_a_profile_is_read_into_numbers() -> None:
    profile = parse(
        HEAD + '[[load]]\nname = "r"\noperation = "http-get"\n'
        'stages = [{ for = "10s", from = 0, to = 100 }, { for = "500ms", burst = 7 }]\n',
        "x.toml",
    )
    assert profile.seconds == 10.5
    ramp, burst = (spec.stage() for spec in profile.loads[0].stages)
    assert (ramp.start, ramp.end, ramp.arrivals) == (0, 100, 500)
    assert (burst.arrivals, burst.start) == (7, 0)


def test_unknown_keys_are_named_with_their_line_and_the_nearest_known_one() -> None:
    said = problems(GOOD + "rates = 5\n").splitlines()
    assert said[0].startswith("x.toml:7: load[0].rates: unknown key")
    said = problems("proceses = 2\n" + GOOD).splitlines()
    assert said == ['x.toml:1: proceses: unknown key; did you mean "processes"?']
    assert 'did you mean "handle-udp"' in problems(GOOD.replace('"handle-udp"', '"handle_udp"'))


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        ('{ for = "1s", rate = -5 }', "stages[0].rate: -5 is not between 0"),
        ('{ for = "1s", rate = 1e12 }', "stages[0].rate: 1,000,000,000,000.0 is not between"),
        ('{ for = "1s", rate = nan }', "stages[0].rate: nan is not between"),
        ('{ for = "0s", rate = 5 }', "stages[0].for: must be longer than nothing"),
        ('{ for = "1 day", rate = 5 }', 'stages[0].for: "1 day" is no duration'),
        ("{ rate = 5 }", "stages[0].for: is missing"),
        ('{ for = "1s" }', "stages[0]: give a rate, or from and to, or a burst alone"),
        ('{ for = "1s", from = 5 }', "stages[0]: give a rate, or from and to"),
        ('{ for = "1s", rate = 5, to = 7 }', "stages[0]: give a rate, or from and to"),
        ('{ for = "1s", rate = 0 }', "stages: nothing is ever sent"),
        ('{ for = "1s", rate = "5" }', "stages[0].rate: must be one of"),
    ],
)
def test_impossible_stages_are_refused_with_their_key(stage: str, why: str) -> None:
    said = problems(GOOD.replace('{ for = "1s", rate = 5 }', stage))
    assert f"x.toml:6: load[0].{why}" in said


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("outstanding = 0", "load[0].outstanding: 0 is not between 1"),
        ("outstanding = 5", "load[0].stages[0]: a load with outstanding requests has no rates"),
        ("connections = 0", "load[0].connections"),
        ("absent = 1.5", "load[0].absent: 1.5 is not between"),
        ('prefix = "88.901"', "load[0].prefix: belongs to the operation"),
        ("rows = 0", "load[0].rows: 0 is not between 1"),
        ('operation = "register"', "load[0].prefix: belongs to the operation"),
        ('operation = "dns-udp"\ntypes = ["URL"]', "load[0].types"),
        ('operation = "http-redirect"\nabsent = 0.5', "load[0].absent"),
    ],
)
def test_loads_that_make_no_sense_are_refused(line: str, why: str) -> None:
    text = GOOD.replace('operation = "handle-udp"\n', "") if "operation" in line else GOOD
    assert why in problems(text + line + "\n")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("processes = 0", "processes: 0 is not between"),
        ('deadline = "soon"', 'deadline: "soon" is no duration'),
        ('thresholds = ["p99 < 5ms", "p99 << 5"]', 'thresholds[1]: "p99 << 5" is no threshold'),
        ('thresholds = ["other.p99 < 5ms"]', 'there is no load "other"'),
        ("identifiers = { count = 0 }", "identifiers.count: 0 is not between"),
        ("identifiers = { zipf = -1 }", "identifiers.zipf"),
        ('identifiers = { sectors = { "88.901" = 0 } }', "identifiers.sectors.88.901"),
    ],
)
def test_the_head_is_checked_as_well(line: str, why: str) -> None:
    assert why in problems(f"{line}\n{GOOD}")


@pytest.mark.parametrize("name", ["", "a b", "../a", "p.99", "x" * 41])
def test_the_name_of_a_load_is_fit_for_files_and_thresholds(name: str) -> None:
    assert "load[0].name: must be letters" in problems(GOOD.replace('"r"', f'"{name}"'))


def test_two_loads_have_two_names() -> None:
    second = GOOD.removeprefix(HEAD)
    assert 'load[1].name: there is a load "r" already' in problems(GOOD + second)


def test_everything_wrong_is_said_at_once() -> None:
    said = problems("a = 1\nb = 2\n" + GOOD.replace('"1s"', "1")).splitlines()
    assert len(said) == 3


def test_no_load_no_file_no_toml() -> None:
    assert "load" in problems(HEAD)
    assert "there must be one at least" in problems(f"load = []\n{HEAD}")
    assert "is not TOML" in problems("= 5")
    with pytest.raises(ProfileError, match='no such profile; did you mean "steady"'):
        load("stedy")
    assert isinstance(parse(GOOD, "x.toml"), Profile)
