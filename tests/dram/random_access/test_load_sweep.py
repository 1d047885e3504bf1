"""Load sweeps: the search for the knee, closed forms of what is measured, and the command line."""

import json
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cli import main
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.patterns import FORMS, generate
from hwsim.dram.random_access.requests import joined
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError
from hwsim.replay.dram import run_memory
from hwsim.replay.knee import KneeRule, find_knee
from hwsim.replay.load_point import LoadPoint, play_load
from hwsim.replay.load_sweep import sweep_load


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A server of whom the closed form is known: latency 1 / (1 - load), and no more than `most` a cycle."""

    offered: Fraction
    most: float

    @property
    def delivered(self) -> float:
        return min(float(self.offered), self.most)

    @property
    def latency(self) -> float:
        return 1 / max(1e-3, 1 - float(self.offered) / self.most)

    longest, span = 1, 100_000

    @property
    def late(self) -> int:
        return round(self.span * max(0.0, float(self.offered) / self.most - 1))


@given(most=st.floats(0.01, 0.7), growth=st.floats(1.2, 20))
def test_the_knee_of_a_known_queue_is_found(most: float, growth: float) -> None:
    loads = find_knee(lambda rate: Queue(offered=rate, most=most), Fraction(1), KneeRule(growth=growth))
    assert loads.knee is not None
    load = float(loads.knee.offered) / most
    exact = 1 - (1 - 0.01) / growth  # 1 / (1 - load) is `growth` times what it is at a load of 1 %
    assert exact - 0.01 <= load <= exact + 1e-6
    assert [point.offered for point in loads.points] == sorted({point.offered for point in loads.points})


def test_a_sweep_ends_with_the_first_load_that_is_too_much() -> None:
    loads = find_knee(lambda rate: Queue(offered=rate, most=0.25), Fraction(1), KneeRule())
    shares = [round(float(point.offered) / 0.25, 3) for point in loads.points]
    assert shares == [
        0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.506, 0.512, 0.525, 0.55, 0.6, 0.65, 0.7, 0.75,
        0.8, 0.85, 0.9, 0.95, 1.0, 1.05,
    ]  # fmt: skip
    assert loads.saturation.offered == 1


def test_a_memory_that_carries_all_that_a_host_can_offer_has_no_knee() -> None:
    @dataclass(frozen=True)
    class Instant:
        offered: Fraction
        latency: float = 5.0
        longest: int = 5
        span: int = 1000
        late: int = 0

        @property
        def delivered(self) -> float:
            return float(self.offered)

    loads = find_knee(Instant, Fraction(1), KneeRule())
    assert loads.knee is None
    assert loads.points[-1].offered == 1


def play(requests: int, rate: Fraction, *, pattern: str = "random", refresh: bool = False) -> LoadPoint:
    standard = load_standard("ddr4_2133", refresh=refresh)
    mapping = load_mapping(None, standard, 1)
    return play_load(joined(generate(pattern, mapping, requests)), rate, mapping, load_parameters({}))


def test_a_single_read_takes_activate_access_and_burst() -> None:
    point = play(1, Fraction(1, 1000))
    params = load_standard("ddr4_2133").params
    assert params["nRCD"] + params["nCL"] + params["nBL"] == 34
    assert point.latencies.cycles.tolist() == [34]
    assert point.latency == 34


def test_an_unloaded_stream_without_refresh_opens_each_row_once() -> None:
    point = play(1000, Fraction(1, 500), pattern="stream")
    assert dict(zip(point.latencies.cycles.tolist(), point.latencies.counts.tolist(), strict=True)) == {
        19: 1000 - 8,  # nCL + nBL
        34: 8,  # in rows of 128 accesses, four at a time, one in each bank group
    }


def test_what_arrives_slowly_is_delivered_as_it_arrives() -> None:
    point = play(2000, Fraction(1, 100))
    assert point.last_taken == 1999 * 100
    assert point.served.cycles in {199_900 + latency for latency in point.latencies.cycles.tolist()}
    assert set(point.latencies.cycles.tolist()) == {34, 49}  # nRP more where another row was open


@settings(max_examples=20, deadline=None)
@given(share=st.floats(0.02, 0.95), refresh=st.booleans())
def test_below_saturation_latency_is_bounded_and_all_is_delivered(share: float, refresh: bool) -> None:
    most = play(3000, Fraction(1), refresh=refresh).delivered
    point = play(3000, Fraction(share * most).limit_denominator(1 << 20), refresh=refresh)
    last_arrival = 2999 * point.offered.denominator // point.offered.numerator
    assert last_arrival <= point.last_taken <= last_arrival + 600
    assert point.latencies.cycles[0] >= 19
    assert point.latencies.cycles[-1] <= 1500
    assert point.served.accesses == point.latencies.total == 3000


@pytest.mark.parametrize("name", STANDARDS)
@pytest.mark.parametrize("pattern", ["stream", "random"])
def test_saturation_is_what_a_plain_run_delivers(name: str, pattern: str) -> None:
    sweep = sweep_load(name, pattern, requests=4000, channels=2, read_share=0.7)
    run = run_memory(name, pattern, requests=4000, channels=2, read_share=0.7)
    assert sweep.loads.saturation.served.cycles == run.served.cycles
    assert sweep.loads.saturation.served.commands == run.served.commands
    assert sweep.loads.knee is not None
    assert all(point.delivered <= float(point.offered) * 1.001 for point in sweep.loads.points)
    assert all(a.offered < b.offered for a, b in pairwise(sweep.loads.points))


def test_a_sweep_is_the_same_each_time_and_says_how_far_it_is() -> None:
    seen: list[tuple[int, int]] = []
    first, second = (
        sweep_load("ddr4_2133", "random", requests=3000, progress=lambda done, total: seen.append((done, total)))
        for _ in range(2)
    )
    assert first.to_json() == second.to_json()
    assert first.to_text() == second.to_text()
    assert len(seen) == 2 * (len(first.loads.points) + 1)
    assert all(done <= total for done, total in seen)


def test_a_file_is_swept_like_the_pattern_that_it_holds(tmp_path: Path) -> None:
    trace = tmp_path / "stream.trace"
    trace.write_text("".join(f"LD {64 * i}\n" for i in range(2500)))
    of_file = sweep_load("ddr4_2133", str(trace), requests=2000)
    of_pattern = sweep_load("ddr4_2133", "stream", requests=2000)
    assert of_file.to_json() == of_pattern.to_json().replace('"stream"', json.dumps(str(trace)))


def test_a_stricter_rule_gives_an_earlier_knee() -> None:
    knees = [
        sweep_load("hbm2", "random", requests=5000, rule=KneeRule(growth=growth)).loads.knee
        for growth in (1.3, 2.0, 4.0)
    ]
    offered = [knee.offered for knee in knees if knee]
    assert offered[0] < offered[1] < offered[2]


def test_the_latency_of_writes_counts_if_there_is_nothing_else() -> None:
    sweep = sweep_load("ddr4_2133", "stream", requests=2000, read_share=0.0)
    assert sweep.kind == "write"
    assert "write latency from arrival (ns)" in sweep.to_text()


def test_the_command_reports_the_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sweep.json"
    wanted = ["--pattern", "random", "--requests", "20000", "--load-sweep", "--json", str(file)]
    assert main(["dram", "ddr4_2133", *wanted]) == 0
    text = capsys.readouterr().out
    document = json.loads(file.read_text())
    assert document["knee"] in document["loads"]
    assert document["rule"] == {"growth": 2.0, "lateness": 0.01}
    assert document["knee"]["latency_cycles"]["read"]["mean"] <= 2 * document["unloaded_latency_cycles"]
    assert f"saturation  {document['saturation']['delivered_bytes_per_s'] / 1e9:,.3f} GB/s" in text
    assert sum(line.endswith("  knee") for line in text.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rate", "1/4"], "--rate: a load sweep goes through the rates by itself"),
        (["--wrap"], "--wrap belongs to a file of requests; pattern stream stays within the capacity"),
        (["--commands", "log.csv"], "--commands: a load sweep plays many loads; log one of them with --rate"),
        (["--energy"], "--energy: a load sweep plays many loads; ask for the energy of one with --rate"),
        (["--requests", "1999", "--channels", "2"], "--requests: a load sweep needs 1000 for each channel, got 1999"),
        (["--channels", "0"], "--channels: expected at least 1, got 0"),
        (["--seed", "-1"], "--seed: expected at least 0, got -1"),
        (["--pattern", "nothing"], f"no request pattern or file 'nothing'; patterns are {FORMS}"),
        (
            ["--pattern", "timed.trace"],
            "timed.trace: its requests have arrivals, and a load sweep would set them by itself",
        ),
        (["--pattern", "few.trace"], "few.trace: a load sweep needs 1000 requests for each channel, found 999"),
        (
            ["--pattern", "few.trace", "--seed", "1"],
            "--read-share and --seed belong to generated patterns; a file says what is read and written",
        ),
    ],
)
def test_mistakes_are_one_clear_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("few.trace").write_text("LD 64\n" * 999)
    Path("timed.trace").write_text("LD 64 @7\n" * 1000)
    assert main(["dram", "ddr4_2133", "--load-sweep", *arguments]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {message}\n"


def test_a_pattern_wins_over_a_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("stream").write_text("LD 0\n")
    assert sweep_load("ddr4_2133", "stream", requests=1000).unloaded.requests == 1000


@pytest.mark.parametrize(("growth", "lateness"), [(1.0, 0.01), (float("inf"), 0.01), (2.0, 0.0), (2.0, 1.0)])
def test_a_rule_that_no_load_or_every_load_meets_is_refused(growth: float, lateness: float) -> None:
    with pytest.raises(DramError, match="must be"):
        KneeRule(growth=growth, lateness=lateness)
