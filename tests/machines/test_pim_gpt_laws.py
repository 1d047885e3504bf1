"""Figures that must never go the wrong way when one parameter of PIM-GPT changes.

Strict laws hold without refresh. With refresh, work that ends a little earlier can meet a refresh that it would have
missed, or leave one less to hide during ASIC work, and latency may break the law by parts of a refresh.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim import run
from hwsim.machines.pim_gpt.model import simulate
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.report.schema import Report
from tests.machines.test_pim_gpt import program_of
from tests.mapping.workloads import tiny

STILL = {"refresh": False}

shapes = st.fixed_dictionaries(
    {
        "d_model": st.sampled_from([48, 96, 256, 1280]),
        "heads": st.sampled_from([2, 4, 8]),
        "past": st.integers(0, 1100),
        "tokens": st.integers(1, 2),
    }
).map(lambda fields: tiny(**fields))


def reports(workload: DecoderWorkload, name: str, values: tuple[Any, ...]) -> list[Report]:
    return [run(workload, settings={**STILL, name: value}) for value in values]


def latencies(workload: DecoderWorkload, name: str, values: tuple[Any, ...]) -> list[float]:
    return [report.latency_s for report in reports(workload, name, values)]


def rises(values: Sequence[float]) -> bool:
    return all(a <= b for a, b in pairwise(values))


@given(workload=shapes)
@settings(max_examples=12)
def test_a_slower_asic_never_gains(workload: DecoderWorkload) -> None:
    clocks = (1_000_000_000, 500_000_000, 250_000_000, 125_000_000)
    times = latencies(workload, "asic.clock_hz", clocks)
    assert rises(times)
    assert times[0] < times[-1]


@given(workload=shapes)
@settings(max_examples=12)
def test_slower_pins_never_gain(workload: DecoderWorkload) -> None:
    times = latencies(workload, "pin_rate_gbps", (16, 12, 8, 4, 2))
    assert rises(times)
    assert times[0] < times[-1]


@given(workload=shapes)
@settings(max_examples=12)
def test_doubling_the_channels_never_loses(workload: DecoderWorkload) -> None:
    # one more channel may lose 12 ns, because heads' groups of dimensions then lie in other channels
    assert rises(latencies(workload, "channels", (32, 16, 8, 4, 2, 1)))


@given(workload=shapes)
@settings(max_examples=12)
def test_mac_units_gain_up_to_the_column_access_and_nothing_beyond(workload: DecoderWorkload) -> None:
    times = latencies(workload, "mac_lanes", (64, 32, 16, 8, 4))
    assert rises(times)
    assert times[0] == times[1] == times[2] < times[3]


@given(past=st.integers(0, 2100), heads=st.sampled_from([1, 2, 4, 5]), head_dim=st.sampled_from([16, 24, 64]))
@settings(max_examples=8)
def test_a_longer_context_never_takes_less_time(past: int, heads: int, head_dim: int) -> None:
    program = program_of(tiny(past=past, tokens=140, d_model=heads * head_dim, heads=heads), STILL)
    finished = simulate(program)
    times = [end - before for before, end in pairwise(finished.ends)]
    assert all(times[token] < times[token + 128] for token in range(len(times) - 128))  # keys in the same bank
    # The keys of consecutive tokens lie in different channels, and some channels may have fewer values to write. Then a
    # token may be quicker than the previous one, but by no more than the recovery of a write.
    recovery = program.spec.time_base.clocks["dram"].ticks(program.spec.standard.params["nWR"])
    assert all(before - after <= recovery for before, after in pairwise(times))


@given(workload=shapes)
@settings(max_examples=6)
def test_offchip_bytes_do_not_depend_on_clocks_or_rates(workload: DecoderWorkload) -> None:
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
