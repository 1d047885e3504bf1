"""The tables of benchmarks/swat.py that are of SWAT alone, from runs that are made up."""

import pytest

from benchmarks.swat_tables import (
    Point,
    assumption_table,
    bytes_table,
    configuration_table,
    elastic_law,
    latency_table,
    line_residual,
    lockstep_law,
    pattern_table,
)
from tests.benchmarks.swat_points import LENGTHS, POINTS, cells, lockstep


def test_a_line_has_no_residual_and_a_parabola_has_one() -> None:
    assert line_residual(POINTS) == pytest.approx(0, abs=1e-12)
    bent = [Point(tokens=tokens, heads=1, cycles=tokens**2, clock_hz=1e6) for tokens in LENGTHS]
    assert line_residual(bent) > 0.3


def test_closed_forms_of_the_published_stages() -> None:
    lockstep, elastic = lockstep_law(6, 201), elastic_law(1033, 201)
    assert (lockstep.text, lockstep.cycles(512)) == ("(N + 5) x 201", 517 * 201)
    assert (elastic.text, elastic.cycles(512)) == ("1,033 + (N - 1) x 201", 1033 + 511 * 201)


def test_latencies_over_tokens_beside_their_closed_forms() -> None:
    other = [lockstep(tokens, interval=264, heads=12) for tokens in LENGTHS]
    rows = cells(latency_table({"FP16": (POINTS, lockstep_law(6, 201)), "FP32": (other, lockstep_law(7, 264))}))
    assert rows == [
        ["512", "103,917", "136,488"],
        ["4,096", "824,301", "1,082,664"],
        ["16,384", "3,294,189", "4,326,696"],
        ["residual of a line", "0.0000%", "0.0000%"],
        ["closed form", "(N + 5) x 201", "(N + 6) x 264"],
        ["cycles off it, at most", "0", "264"],
    ]


def test_patterns_over_tokens() -> None:
    rows = cells(pattern_table({"window": POINTS, "two passes": [lockstep(n, interval=402) for n in LENGTHS]}))
    assert rows[0] == ["512", "103,917", "207,834"]
    assert rows[-1] == ["cycles a row, of the longest", "201.1", "402.1"]


def test_configurations_side_by_side() -> None:
    """A model of two layers counts as one; two pipelines take half of the time."""
    one = Point(tokens=10, heads=12, cycles=3000, clock_hz=3e6, passes=1, rows=10, pairs=40)
    two = Point(tokens=10, heads=24, cycles=3000, clock_hz=3e6, passes=2, rows=15, pairs=25, dropped=5)
    assert cells(configuration_table({"window": one, "dual": two})) == [
        ["window", "1", "10", "4.0", "0", "3,000", "1.000", "1.000"],
        ["dual", "2", "15", "2.5", "5", "1,500", "0.500", "0.500"],
    ]


def test_bytes_of_a_row() -> None:
    once = lockstep(512, moved=dict.fromkeys("qkvz", 1.0))
    wide = lockstep(512, passes=2, element_bytes=4, moved={**once.moved, "carry": 0.5})
    assert cells(bytes_table({"window": once, "wide": wide})) == [
        ["window", "1", "1.000", "1.000", "1.000", "1.000", "-", "512.0"],
        ["wide", "2", "1.000", "1.000", "1.000", "1.000", "0.500", "1,152.0"],
    ]


def test_assumptions_beside_what_is_shipped() -> None:
    shipped = {"a": lockstep(512), "b": lockstep(4096)}
    changed = {"a": lockstep(512, interval=402), "b": lockstep(4096)}
    assert cells(assumption_table({"as shipped": shipped, "twice": changed})) == [
        ["as shipped", "103,917", "+0.00%", "824,301", "+0.00%"],
        ["twice", "207,834", "+100.00%", "824,301", "+0.00%"],
    ]
