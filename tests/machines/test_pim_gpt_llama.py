"""Llama on PIM-GPT: against replays of both schedules, and the savings of grouped heads."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim import load_workload, run
from hwsim.errors import MappingError
from hwsim.machines.pim_gpt.model import simulate
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.report.schema import Report
from tests.machines.test_pim_gpt import program_of, replay
from tests.machines.test_pim_gpt_overlap import Replay
from tests.mapping.workloads import tiny

fields = st.fixed_dictionaries(
    {
        "layers": st.integers(1, 2),
        "head_dim": st.sampled_from([8, 24]),
        "heads": st.sampled_from([4, 8]),
        "kv_heads": st.sampled_from([1, 2, 4]),
        "d_ff": st.sampled_from([40, 176]),
        "tokens": st.integers(1, 4),
        "prompt": st.integers(0, 3),
        "batch": st.integers(1, 2),
        "past": st.sampled_from([0, 70]),
    }
)
machines = st.fixed_dictionaries(
    {
        "channels": st.integers(1, 3),
        "accumulators": st.sampled_from([3, 32]),
        "row_bytes": st.just(256),
        "buffer_bytes": st.sampled_from([128, 256]),
        "timing.tREFI_ns": st.sampled_from([900, 6825]),
    }
)


def llama(**own: Any) -> DecoderWorkload:
    return tiny(**{"family": "llama", "d_ff": 96, **own})


@given(own=fields, machine=machines)
@settings(max_examples=8)
def test_a_run_equals_the_reference_player_to_the_tick(own: dict[str, Any], machine: dict[str, Any]) -> None:
    program = program_of(llama(**own), machine)
    assert simulate(program).ticks == replay(program)[0]


@given(own=fields, machine=machines)
@settings(max_examples=8)
def test_so_it_does_with_units_at_work_side_by_side(own: dict[str, Any], machine: dict[str, Any]) -> None:
    program = program_of(llama(**own), {**machine, "schedule": "overlap"})
    assert simulate(program).ticks == Replay(program).run()


@given(own=fields, machine=machines)
@settings(max_examples=8)
def test_overlap_is_never_slower(own: dict[str, Any], machine: dict[str, Any]) -> None:
    paper, overlap = (
        run(llama(**own), settings={**machine, "refresh": False, "schedule": schedule})
        for schedule in ("paper", "overlap")
    )
    assert overlap.latency_s <= paper.latency_s
    assert overlap.dram.io_bytes == paper.dram.io_bytes


def cycles(report: Report, *kinds: str) -> int:
    return sum(part.cycles for part in report.breakdown if part.kind in kinds)


def test_grouped_heads_open_fewer_rows_and_write_less() -> None:
    reports = [run(llama(heads=8, d_model=512, kv_heads=n, past=400, tokens=8)) for n in (8, 4, 2, 1)]
    opened = [report.dram.commands["ACT16"] for report in reports]
    written = [report.dram.bytes_written for report in reports]
    attention = [cycles(report, "attention_scores", "attention_values", "kv_cache") for report in reports]
    assert opened == sorted(opened, reverse=True)
    assert attention[0] > attention[1] > attention[2]
    # a single head has 4 groups of 16 dimensions: half of the 8 channels have no values to multiply
    assert attention[3] > attention[0]
    # a key of 64 elements for each head, and a column of values of 32 B in all 16 banks for each 16 dimensions
    assert written == [8 * n * (128 + 4 * 32) for n in (8, 4, 2, 1)]


def test_each_query_head_reads_its_keys_and_values_however_many_share_them() -> None:
    # MAC commands of attention do not depend on the grouping; matrices compute shared keys and values only once
    one, grouped = (run(llama(heads=8, d_model=512, kv_heads=n, past=400, tokens=1)) for n in (8, 1))
    fewer = one.dram.commands["MAC16"] - grouped.dram.commands["MAC16"]
    assert fewer == 512 * 7 * (64 + 64) // (16 * 16)  # K and V of seven heads, 16 banks with 16 weights a column


def test_the_host_sends_angles_with_an_embedding() -> None:
    def link(**own: Any) -> int:
        return run(llama(lm_head="included", tokens=1, **own)).bytes_over("host_link")

    # 64 elements of 2 B, a cosine and a sine of 4 B for each of 16 pairs, a token id of 4 B
    assert link() == 64 * 2 + 32 * 4 + 4
    assert link(position="learned") == 64 * 2 + 4
    assert link(rotary_dim=8) == 64 * 2 + 8 * 4 + 4  # of the pairs that turn
    two_bases = {"layers": 2, "attention": "window", "windows": [3, None], "window_rope_theta": 500}
    assert link(**two_bases) == 64 * 2 + 2 * 32 * 4 + 4  # layers with a window turn by angles of their own


def test_a_gated_layer_keeps_both_inputs_in_the_sram() -> None:
    # residual stream, input and two hidden vectors: (64 + 64 + 2 x 1000) x 2 B, and one score of 4 B
    run(llama(d_ff=1000, tokens=1), settings={"asic.sram_bytes": 4260})
    with pytest.raises(MappingError, match="vectors of 1 tokens need 4256 B and one head's scores over 1 tokens 4 B"):
        run(llama(d_ff=1000, tokens=1), settings={"asic.sram_bytes": 4259})


def test_llama2_fits_32_channels_and_streams_its_weights() -> None:
    report = run(load_workload("llama2_7b", tokens=1), "pim_gpt", settings={"channels": 32})
    weights = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008) * 2
    # 11,008 hidden units over 512 banks are 21.5 each: 22 with padding
    assert weights < report.memory("banks").holding("weights") < 1.02 * weights
    assert 1 <= report.bound.ratio < 1.6
    assert report.published == []  # the paper ran only GPTs
    assert report.dram.bytes_read >= report.memory("banks").holding("weights")
