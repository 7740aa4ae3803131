from load_tests import health
from load_tests.histogram import Histogram
from load_tests.tally import Tally

MS = 1_000_000


def tally(**counts: int | float) -> Tally:
    made = Tally(sent=1000, right=1000, seconds=10, cpu=2)
    made.latency.record(5 * MS, 1000)
    for name, count in counts.items():
        setattr(made, name, count)
    return made


def test_a_generator_that_kept_its_schedule_is_sound() -> None:
    found = health.examine(tally(late=9), 1)
    assert (found.sound, found.cpu, found.remarks) == (True, 0.2, ())


def test_whatever_it_could_not_do_is_said() -> None:
    for counts, word in (
        ({"late": 11}, "did not keep its schedule"),
        ({"unsent": 1}, "not sent"),
        ({"dropped": 1}, "no room"),
        ({"cpu": 9.6}, "processor"),
    ):
        found = health.examine(tally(**counts), 1)
        assert len(found.concerns) == 1
        assert word in found.concerns[0]
    assert health.examine(tally(cpu=9.6), 2).sound


def test_lateness_within_the_latency_is_remarked_upon() -> None:
    made = tally()
    made.lateness = Histogram()
    made.lateness.record(3 * MS, 1000)
    found = health.examine(made, 1)
    assert found.sound
    assert "lateness" in found.remarks[0]


def test_nothing_sent_is_no_division_by_zero() -> None:
    assert health.examine(Tally(), 1).sound
