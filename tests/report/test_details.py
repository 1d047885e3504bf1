"""What a page shows beyond the report: thinned steps, roofline, memory map."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.pipeline import load_workload, prepare, run_in_detail
from hwsim.report.details import thin


@given(st.lists(st.integers(0, 50), min_size=1, max_size=400), st.integers(4, 40))
def test_thinning_keeps_bounds_ends_and_extremes(values: list[int], most: int) -> None:
    kept = list(thin(values, most))
    assert kept == sorted(set(kept))
    assert len(kept) <= max(most, 4)
    assert {0, len(values) - 1} <= set(kept)
    if len(values) <= most:
        assert kept == list(range(len(values)))
    assert (min(values), max(values)) == (min(values[i] for i in kept), max(values[i] for i in kept))


def test_steps_add_up_to_the_latency_and_prompt_steps_are_marked() -> None:
    report, details = run_in_detail(load_workload("gpt2", tokens=5, prompt=3, layers=1))
    steps = details().steps
    assert [(step.context, step.prompt) for step in steps] == [(n, n <= 3) for n in range(1, 9)]
    assert sum(step.seconds for step in steps) == pytest.approx(report.latency_s, rel=1e-12)


@pytest.mark.parametrize("machine", ["pim_gpt", "aim"])
def test_steps_of_a_prompt_behind_a_filled_cache_are_marked(machine: str) -> None:
    """Contexts count the cache too, and were compared with the prompt alone."""
    _, details = run_in_detail(load_workload("gpt2", tokens=2, prompt=2, past=10, layers=1), machine)
    assert [(step.context, step.prompt) for step in details().steps] == [
        (11, True),
        (12, True),
        (13, False),
        (14, False),
    ]


@pytest.mark.parametrize("settings", [{}, {"channels": 3}, {"mac_lanes": 8}, {"batching": "row_reuse"}])
@pytest.mark.parametrize("lm_head", ["excluded", "pim", "host"], ids=str)
def test_no_point_lies_above_the_roof_and_macs_are_the_models(settings: dict[str, object], lm_head: str) -> None:
    workload = load_workload("gpt2", tokens=3, prompt=4, layers=2, batch=2, vocab=1000)
    if lm_head != "excluded":
        workload = replace(workload, run=workload.run.model_copy(update={"lm_head": "included"}))
        settings = {**settings, "lm_head": lm_head}
    report, make = run_in_detail(workload, settings=settings)
    roofline = make().roofline
    assert roofline is not None
    for point in roofline.points:
        assert point.rate <= roofline.ceiling(point.intensity) * (1 + 1e-12)
    whole = roofline.points[-1]
    # by hand: 7 positions of 2 sequences through 12 d^2 weights a layer, (1 + ... + 7) pairs for keys and values each
    blocks = 2 * 2 * (7 * 12 * 768 * 768 + 2 * 28 * 768)
    # a token comes out of each of the 3 steps after the prompt
    assert whole.macs == blocks + (2 * 3 * 768 * 1000 if lm_head == "pim" else 0)
    assert whole.moved_bytes == report.dram.bytes_read


@pytest.mark.parametrize("overrides", [{}, {"batch": 3}, {"heads": 5, "head_dim": 10}])
def test_held_bytes_are_those_of_every_address(overrides: dict[str, int]) -> None:
    sizes = {"layers": 1, "d_model": 50, "heads": 2, "head_dim": 25, "d_ff": 70, "tokens": 21, "n_ctx": 64, **overrides}
    stages = prepare(load_workload("gpt2", **sizes), settings={"channels": 3})
    placement = stages.mapped.placement  # type: ignore[attr-defined]
    counted: Counter[tuple[int, int]] = Counter()
    for matrix in placement.matrices.values():
        for output in range(matrix.d_out):
            for element in range(matrix.d_in):
                counted[matrix.address(output, element)[:2]] += 2
    for cache in placement.caches.values():
        for sequence in range(cache.batch):
            for token in range(cache.context):
                for head in range(cache.heads):
                    for element in range(cache.head_dim):
                        counted[cache.k_address(sequence, token, head, element)[:2]] += 2
                        counted[cache.v_address(sequence, token, head, element)[:2]] += 2
    from hwsim.machines.pim_gpt.details import memory_map

    memory = memory_map(stages.mapped)  # type: ignore[arg-type]
    assert memory.held_bytes == tuple(tuple(counted[c, b] for b in range(16)) for c in range(3))
    rows = sum(region.rows for region in memory.regions)
    assert rows == placement.rows
    assert memory.regions[-1].first_row + memory.regions[-1].rows == rows
