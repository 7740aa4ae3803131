import pytest

from load_tests import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20ms", 0.02), ("1.5s", 1.5), ("2m", 120), ("8h", 28_800), ("5 us", 5e-6), ("7µs", 7e-6)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert durations.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "20", "ms", "-1s", "1 d", "1s1s", "1e3s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        durations.seconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.2e-7, "0.42 µs"), (0.000412, "412 µs"), (0.0205, "20.5 ms"), (3, "3 s"), (300, "5 min")],
)
def test_durations_are_written_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert durations.written(seconds) == text
