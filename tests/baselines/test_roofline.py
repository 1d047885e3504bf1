"""Modelled baselines: closed forms by hand, and the fast sum against the sum as defined."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim import load_workload, run
from hwsim.baselines import Device, decode_latency, devices, find_device, step_times
from hwsim.baselines.ratios import baseline_ratios
from hwsim.baselines.roofline import decode_latency_slow
from hwsim.errors import MachineError
from hwsim.mapping.formats import BF16
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import Attention, AttentionScores, AttentionValues, KvCache, Linear, Slice, Softmax, Tensor
from hwsim.mapping.patterns import Causal
from hwsim.mapping.step import Step
from tests.mapping.workloads import tiny

# Round figures, so that times can be told by hand: 1 flop and 1 byte take 1 us each.
SIMPLE = Device(
    key="simple", name="Simple", kind="gpu", flop_per_s={"bf16": 1e6}, memory_bytes_per_s=1e6, launch_overhead_s=5e-6,
    compute_efficiency=1, memory_efficiency=1, tdp_w=100, active_fraction=0.9, idle_fraction=0.2, provenance={},
)  # fmt: skip


def graph_of_linear() -> OperatorGraph:
    x = Tensor(name="x", shape=("tokens", 8), fmt=BF16)
    return OperatorGraph(
        name="one", inputs=(x,), operators=[Linear(name="y", inputs=("x",), fmt=BF16, d_in=8, d_out=4)]
    )


def test_a_linear_by_hand() -> None:
    (one,) = step_times(graph_of_linear(), Step(queries=1, context=1), SIMPLE, "bf16")
    assert one.compute_s == pytest.approx(2 * 8 * 4 * 1e-6)
    assert one.memory_s == pytest.approx(2 * (8 + 8 * 4 + 4 + 4) * 1e-6)  # input, weights, bias, output
    assert one.seconds == pytest.approx((96 + 5) * 1e-6)
    (many,) = step_times(graph_of_linear(), Step(queries=1, context=1, batch=10), SIMPLE, "bf16")
    assert many.seconds == pytest.approx((640 + 5) * 1e-6)  # computing takes longer than 2 * (80 + 36 + 40) bytes


def test_efficiencies_stretch_their_part_alone() -> None:
    slower = replace(SIMPLE, compute_efficiency=0.5, memory_efficiency=0.25)
    (time,) = step_times(graph_of_linear(), Step(queries=1, context=1), slower, "bf16")
    assert time.compute_s == pytest.approx(128e-6)
    assert time.memory_s == pytest.approx(384e-6)


def test_a_token_of_a_tiny_model_by_hand() -> None:
    workload = tiny(layers=1, d_model=4, heads=2, tokens=3)
    times = {t.name: t for t in step_times(build_graph(workload), Step(queries=1, context=3), SIMPLE, "bf16")}
    moved = {name: round(time.memory_s * 1e6) for name, time in times.items()}
    assert moved == {
        "l0.norm1": 2 * (4 + 8 + 4),
        "l0.qkv": 2 * (4 + 48 + 12 + 12),
        "l0.kv": 2 * (8 + 8),
        "l0.attention": 2 * (4 + 3 * 8 + 4),
        "l0.proj": 2 * (4 + 16 + 4 + 4),
        "l0.add1": 2 * (4 + 4 + 4),
        "l0.norm2": 2 * (4 + 8 + 4),
        "l0.ffn1": 2 * (4 + 64 + 16 + 16),
        "l0.gelu": 2 * (16 + 16),
        "l0.ffn2": 2 * (16 + 64 + 4 + 4),
        "l0.add2": 2 * (4 + 4 + 4),
    }
    assert round(times["l0.attention"].compute_s * 1e6) == 2 * 3 * (4 + 4)


def test_embedding_reads_two_rows_and_the_head_its_whole_table() -> None:
    workload = tiny(layers=1, d_model=4, heads=2, vocab=100, lm_head="included")
    times = {t.name: t for t in step_times(build_graph(workload), Step(queries=1, context=1), SIMPLE, "bf16")}
    assert round(times["embed"].memory_s * 1e6) == 2 * (1 + 2 * 4 + 4)
    assert round(times["lm_head"].memory_s * 1e6) == 2 * (4 + 4 * 100 + 100)


def test_a_prompt_of_which_nothing_comes_out_passes_no_head() -> None:
    workload = tiny(layers=1, d_model=4, heads=2, vocab=100, lm_head="included", prompt=2, tokens=1)
    graph = build_graph(workload)
    prompt, token = (
        {t.name: t for t in step_times(graph, step, SIMPLE, "bf16")} for step in workload.steps(queries_at_once=2)
    )
    assert prompt.keys() == token.keys()
    assert [(prompt[name].seconds, token[name].seconds > 0) for name in ("norm", "lm_head")] == [(0, True), (0, True)]
    assert decode_latency(workload, SIMPLE).overhead_s == pytest.approx((12 + 14) * 5e-6)


def test_attention_that_shares_scores_is_not_counted() -> None:
    shape: dict[str, Any] = {"fmt": BF16, "heads": 1, "kv_heads": 1, "d_k": 4, "d_v": 4, "keys": "tokens"}
    graph = OperatorGraph(
        name="shared",
        inputs=tuple(Tensor(name=name, shape=("tokens", 4), fmt=BF16) for name in "qkv"),
        operators=[
            Attention(name="a", inputs=("q", "k", "v"), pattern=Causal(), **shape),
            Attention(name="b", inputs=("a", "v"), pattern=Causal(), shares_scores=True, **shape),
        ],
    )
    with pytest.raises(MachineError, match="b: the baselines do not count attention that shares scores"):
        step_times(graph, Step(queries=1, context=1), SIMPLE, "bf16")


def test_split_attention_moves_its_scores() -> None:
    shared = {"fmt": BF16, "heads": 2, "kv_heads": 2, "d_k": 2, "d_v": 2, "pattern": Causal()}
    cache: dict[str, Any] = {key: shared[key] for key in ("fmt", "kv_heads", "d_k", "d_v")}
    split: dict[str, Any] = shared
    graph = OperatorGraph(
        name="split",
        inputs=tuple(Tensor(name=name, shape=("tokens", 4), fmt=BF16) for name in ("q", "k", "v")),
        operators=[
            KvCache(name="kv", inputs=("k", "v"), **cache),
            Slice(name="keys", inputs=("kv",), fmt=BF16, first=0, width=4, rows="context"),
            Slice(name="cached", inputs=("kv",), fmt=BF16, first=4, width=4, rows="context"),
            AttentionScores(name="scores", inputs=("q", "keys"), **split),
            Softmax(name="soft", inputs=("scores",), fmt=BF16, heads=2, pattern=Causal()),
            AttentionValues(name="values", inputs=("soft", "cached"), **split),
        ],
    )
    times = step_times(graph, Step(queries=1, context=5), SIMPLE, "bf16")
    moved = {time.name: round(time.memory_s * 1e6) // 2 for time in times}
    assert moved == {"kv": 8 + 8, "scores": 4 + 20 + 10, "soft": 10 + 10, "values": 10 + 20 + 4}


@given(
    fields=st.fixed_dictionaries(
        {
            "layers": st.integers(1, 3),
            "d_model": st.sampled_from([16, 96]),
            "heads": st.sampled_from([1, 4]),
            "tokens": st.integers(1, 9),
            "prompt": st.integers(0, 5),
            "batch": st.integers(1, 3),
            "lm_head": st.sampled_from(["excluded", "included"]),
            "format": st.sampled_from(["bf16", "fp16", "fp32"]),
        }
    ),
    key=st.sampled_from(sorted(devices())),
)
@settings(max_examples=40, deadline=None)
def test_the_sum_equals_the_sum_over_every_step_and_operator(fields: dict[str, Any], key: str) -> None:
    workload, device = tiny(**fields), find_device(key)
    fast, slow = decode_latency(workload, device), decode_latency_slow(workload, device)
    assert fast.busy_s == pytest.approx(slow.busy_s, rel=1e-12)
    assert fast.overhead_s == pytest.approx(slow.overhead_s, rel=1e-12)


def test_windowed_attention_stops_growing() -> None:
    workload = tiny(attention="window", window=3, tokens=40)
    assert decode_latency(workload, SIMPLE).busy_s == pytest.approx(decode_latency_slow(workload, SIMPLE).busy_s)
    graph = build_graph(workload)
    late = [sum(t.busy_s for t in step_times(graph, Step(queries=1, context=c), SIMPLE, "bf16")) for c in (4, 40)]
    assert late[0] == pytest.approx(late[1])


def test_gpt2_on_a_t4_in_closed_form() -> None:
    made = decode_latency(load_workload("gpt2"), find_device("t4"))
    assert made.format == "fp16"  # Turing has no bf16
    assert made.overhead_s == pytest.approx(1024 * 12 * 11 * 10e-6)
    per_layer = 12 * 768**2 + 13 * 768  # matrices and biases, norms
    activations = 768 * (2 + 4 + 4 + 2 + 2 + 3 + 2 + 5 + 8 + 5 + 3)  # in the order of the graph, cache write included
    cache = 1024 * 1025 // 2 * 2 * 768
    elements = 12 * (1024 * (per_layer + activations) + cache)
    assert made.busy_s == pytest.approx(2 * elements / 320e9, rel=1e-12)
    assert made.energy_j == pytest.approx(70 * made.busy_s + 21 * made.overhead_s)


def test_a_device_without_the_format_takes_the_next_one() -> None:
    assert find_device("h100").runs("bf16") == "bf16"
    assert find_device("t4").runs("bf16") == "fp16"
    assert find_device("xeon_gold_6154").runs("bf16") == "fp32"
    assert find_device("a6000").runs("fp32") == "fp32"
    with pytest.raises(MachineError, match=r"NVIDIA T4: no baseline for format 'fixed8\.4'"):
        find_device("t4").runs("fixed8.4")


def test_an_unknown_device_names_the_nearest() -> None:
    with pytest.raises(MachineError, match="xeon_6154: no such baseline device; nearest: xeon_gold_6154"):
        find_device("xeon_6154")


@pytest.mark.parametrize("device", devices().values(), ids=list(devices()))
def test_every_figure_has_a_source(device: Device) -> None:
    own = vars(device)
    figures = {name for name, value in own.items() if isinstance(value, float)}
    figures |= {f"flop_per_s.{name}" for name in device.flop_per_s}
    assert set(device.provenance) == figures
    for entry in device.provenance.values():
        assert entry["grade"] in {"S", "T", "C", "M", "A"}
        assert entry["source"]
        assert ("confidence" in entry) == (entry["grade"] == "M")


def test_ratios_over_a_run() -> None:
    workload = load_workload("gpt2", tokens=2)
    t4 = decode_latency(workload, find_device("t4"))
    made = baseline_ratios(workload, latency_s=t4.latency_s / 8, energy_j=t4.energy_j / 4, keys=["t4"])
    assert made["speedup_t4"].value == pytest.approx(8)
    assert made["energy_t4"].value == pytest.approx(4)
    assert "modelled NVIDIA T4" in made["speedup_t4"].note
    without = baseline_ratios(workload, latency_s=1.0, energy_j=None, keys=["t4"])["energy_t4"]
    assert (without.value, without.note) == (None, "not comparable: energy not modelled")


def test_the_report_sets_its_run_beside_the_papers_range() -> None:
    workload = load_workload("gpt2", tokens=2)
    report = run(workload)
    found = {figure.name: figure for figure in report.published}
    t4 = found["speed-up over NVIDIA T4"]
    assert t4.theirs == "41-137x (v1, v2, journal)"
    assert t4.ours == pytest.approx(decode_latency(workload, find_device("t4")).latency_s / report.latency_s)
    assert (t4.ratio, t4.unit) == (None, "x")
    assert "modelled" in t4.note
    assert [name.rpartition(", ")[2] for name in found if "over T4" in name] == ["paper v1", "paper v2 and journal"]
