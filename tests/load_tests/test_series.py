from load_tests.histogram import Histogram
from load_tests.series import Series
from load_tests.tally import Second

MS = 1_000_000


def second(at: int, latency: int, count: int = 1) -> Second:
    histogram = Histogram()
    histogram.record(latency, count)
    return Second(at, sent=count, right=count, failed=1, latency=histogram)


def test_a_second_is_told_when_every_generator_has_told_it() -> None:
    series = Series(2)
    series.feed(second(0, 1 * MS))
    series.feed(second(1, 1 * MS))
    assert series.points == []
    series.feed(second(0, 9 * MS, count=3))
    (point,) = series.points
    assert (point.at, point.sent, point.right, point.failed) == (0, 4, 4, 2)
    assert 0.009 <= point.p50 == point.longest <= 0.00901


def test_at_the_end_seconds_that_not_all_told_count_as_well() -> None:
    series = Series(2)
    for at in range(3):
        series.feed(second(at, MS))
    series.feed(second(0, MS))
    series.finish()
    assert [(point.at, point.sent) for point in series.points] == [(0, 2), (1, 1), (2, 1)]
