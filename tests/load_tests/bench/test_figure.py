"""Figures and their ratios."""

from __future__ import annotations

from load_tests.bench.figure import Figure, document


def test_ratios_are_in_values_of_the_peer():
    figure = Figure("DNS, warm: CPU", 5.0, "us", "<= 20", {"Knot": 4.0, "nobody": 0.0})
    assert figure.ratios == {"Knot": 1.25}
    assert "1.25 x Knot (4.0)" in str(figure)


def test_the_data_say_what_machine_they_are_from():
    kept = document([Figure("DNS, warm: CPU", 5.0, "us", peers={"Knot": 4.0})])
    assert kept["machine"]["cores"] >= 1
    (figure,) = kept["figures"]
    assert (figure["value"], figure["peers"], figure["ratios"]) == (
        5.0,
        {"Knot": 4.0},
        {"Knot": 1.25},
    )
