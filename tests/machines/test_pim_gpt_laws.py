"""What must never go the wrong way when one parameter of PIM-GPT moves.

Strict laws hold without refresh. With it, work that ends a little earlier can meet a refresh that it would have
missed, or hide one less behind the ASIC, and latency may move against the law by parts of a refresh.
"""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim import run
from hwsim.report import Report
from mapping.workload import GptWorkload
from tests.mapping.workloads import tiny

STILL = {"refresh": False}

shapes = st.fixed_dictionaries(
    {
        "d_model": st.sampled_from([48, 96, 256, 1280]),
        "heads": st.sampled_from([1, 2, 4]),
        "past": st.integers(0, 1100),
        "tokens": st.integers(1, 2),
    }
).map(lambda fields: tiny(**fields))


def reports(workload: GptWorkload, name: str, values: tuple[Any, ...]) -> list[Report]:
    return [run(workload, settings={**STILL, name: value}) for value in values]


def latencies(workload: GptWorkload, name: str, values: tuple[Any, ...]) -> list[float]:
    return [report.latency_s for report in reports(workload, name, values)]


def rises(values: list[float]) -> bool:
    return all(a <= b for a, b in pairwise(values))


@given(workload=shapes)
@settings(max_examples=12)
def test_a_slower_asic_never_gains(workload: GptWorkload) -> None:
    clocks = (1_000_000_000, 500_000_000, 250_000_000, 125_000_000)
    times = latencies(workload, "asic.clock_hz", clocks)
    assert rises(times)
    assert times[0] < times[-1]


@given(workload=shapes)
@settings(max_examples=12)
def test_slower_pins_never_gain(workload: GptWorkload) -> None:
    times = latencies(workload, "pin_rate_gbps", (16, 12, 8, 4, 2))
    assert rises(times)
    assert times[0] < times[-1]


@given(workload=shapes)
@settings(max_examples=12)
def test_doubling_the_channels_never_loses(workload: GptWorkload) -> None:
    assert rises(latencies(workload, "channels", (32, 16, 8, 4, 2, 1)))


@given(workload=shapes)
@settings(max_examples=12)
def test_mac_units_gain_up_to_the_column_access_and_nothing_beyond(workload: GptWorkload) -> None:
    times = latencies(workload, "mac_lanes", (64, 32, 16, 8, 4))
    assert rises(times)
    assert times[0] == times[1] == times[2] < times[3]


@given(past=st.integers(0, 1500), heads=st.sampled_from([1, 2, 4]))
@settings(max_examples=12)
def test_a_longer_context_never_takes_less_time(past: int, heads: int) -> None:
    # an exception in detail: tokens fill rows and slots unevenly, so the comparison is over 256 tokens, two slots of K
    times = [run(tiny(past=past + more, tokens=1, heads=heads), settings=STILL).latency_s for more in (0, 256, 512)]
    assert rises(times)
    assert times[0] < times[-1]


@given(workload=shapes)
@settings(max_examples=6)
def test_offchip_bytes_do_not_depend_on_clocks_or_rates(workload: GptWorkload) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"asic.clock_hz": 100_000_000},
        {"pin_rate_gbps": 2},
        {"mac_lanes": 4},
        {"dram_clock_hz": 1_000_000_000},
        {"refresh": True},
    )
    moved = {run(workload, settings={**STILL, **change}).offchip_bytes for change in changes}
    assert len(moved) == 1
