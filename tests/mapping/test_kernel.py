"""Kernels: one operator with its sizes, over rows."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.models import build_graph
from hwsim.mapping.step import Step
from hwsim.mapping.workload.load import load_workload
from hwsim.mapping.workload.loads import Load
from hwsim.shipped import shipped_workloads
from tests.mapping.families import graph_of, workload

FUNCTIONS = st.sampled_from(["gelu", "silu", "relu"])
WIDTH = st.integers(1, 20)
CHOICE = {"width": WIDTH, "experts": st.integers(3, 6), "top_k": st.integers(1, 3)}
HEADS = {"heads": st.just(4), "pattern": st.sampled_from(["full", "causal", "window(3, 2)", "strided_heads(3)"])}

KERNELS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "linear": {"width": WIDTH, "d_out": WIDTH, "bias": st.booleans()},
    "attention": {**HEADS, "head_dim": WIDTH, "kv_heads": st.sampled_from([1, 2, 4]), "value_dim": WIDTH},
    "softmax": HEADS,
    "layernorm": {"width": WIDTH, "bias": st.booleans()},
    "rmsnorm": {"width": WIDTH},
    "act": {"width": WIDTH, "function": FUNCTIONS},
    "glu": {"width": WIDTH, "function": FUNCTIONS},
    "add": {"width": WIDTH},
    "hadamard": {"width": WIDTH},
    "route": CHOICE,
    "expert_ffn": {
        **CHOICE, "hidden": WIDTH, "function": FUNCTIONS, "gated": st.booleans(), "bias": st.booleans(),
    },
}  # fmt: skip
GENERATED = st.one_of(
    st.fixed_dictionaries({"operator": st.just(operator), **fields}) for operator, fields in KERNELS.items()
)


@given(fields=GENERATED, rows=st.integers(3, 30), batch=st.integers(1, 3))
def test_closed_forms_are_those_of_the_operator(fields: dict[str, Any], rows: int, batch: int) -> None:
    kernel = workload("kernel", **fields, rows=rows, batch=batch)
    graph, step = build_graph(kernel), kernel.run.last_step(kernel.model)
    assert kernel.model.parameters == graph.parameters
    assert kernel.model.macs(step) == graph.totals(step).macs


def test_a_head_of_swat() -> None:
    head: dict[str, Any] = {"operator": "attention", "heads": 1, "head_dim": 64, "pattern": "window(255, 256)"}
    assert graph_of("kernel", **head).dump(Step(queries=1024, context=1024)).splitlines() == [
        "graph small: 1 operators, step of 1024 at 1024",
        "input q[tokens, 64] bf16",
        "input k[tokens, 64] bf16",
        "input v[tokens, 64] bf16",
        "attention attention[tokens, 64] bf16 <- q, k, v; 1 heads x 64, window(255, 256); "
        "macs 58720256 bytes 131072 weights 0 B",
        "total macs 58720256 element_ops 458752 special_functions 459776 weights 0 B state 0 B",
        "traffic weights read 0 B state read 0 B written 0 B activations read 393216 B written 131072 B",
    ]
    assert 58_720_256 == 2 * 64 * (1024 * 512 - 255 * 256 // 2 - 256 * 257 // 2)


def test_rows_pass_together_as_often_as_asked() -> None:
    kernel = workload("kernel", operator="rmsnorm", width=8, rows=5, batch=2, repeats=3)
    assert list(kernel.steps()) == 3 * [Step(queries=5, context=5, batch=2)]
    assert (kernel.run.produced, kernel.run.unit) == (30, "rows")


def test_tokens_are_another_name_of_rows() -> None:
    sizes: dict[str, Any] = {"operator": "rmsnorm", "width": 8}
    assert workload("kernel", **sizes, tokens=5) == workload("kernel", **sizes, rows=5)
    with pytest.raises(WorkloadError, match="small: rows and tokens are one thing; give one of them"):
        workload("kernel", **sizes, rows=5, tokens=5)
    with pytest.raises(WorkloadError, match="small: tokens: input should be greater than or equal to 1, got 0"):
        workload("kernel", **sizes, tokens=0)


@pytest.mark.parametrize("in_file", ["rows", "tokens"])
@pytest.mark.parametrize("set_by", ["rows", "tokens"])
def test_a_setting_replaces_the_files_number_by_either_name(tmp_path: Path, in_file: str, set_by: str) -> None:
    file = tmp_path / "norm.yaml"
    file.write_text(
        "{name: norm, family: kernel, operator: rmsnorm, width: 8, provenance: {grade: A, source: a test}, "
        f"{in_file}: 100}}"
    )
    assert load_workload(file).run.rows == 100
    assert load_workload(file, {set_by: 7}).run.rows == 7


def test_the_kernel_of_swats_figure() -> None:
    # 2w = 512 keys a row, less at both ends; every key, where there are no more than 256
    for tokens, pairs in ((200, 200**2), (512, 512**2 - 256 * 257 // 2 - 255 * 256 // 2), (16_384, 8_323_072)):
        kernel = load_workload(shipped_workloads()["swat_kernel"], {"tokens": tokens})
        (step,) = kernel.steps()
        assert kernel.model.macs(step) == build_graph(kernel).totals(step).macs == 2 * 64 * pairs
    assert 8_323_072 == 16_384 * 512 - 256 * 257 // 2 - 255 * 256 // 2
    assert (kernel.run.produced, kernel.machine) == (16_384, "swat")


def test_attention_across_two_sequences() -> None:
    kernel = workload("kernel", operator="attention", heads=2, head_dim=8, pattern="full", rows=4, source=10)
    graph, (step,) = build_graph(kernel), kernel.steps()
    assert str(graph.inputs[1]) == "k[source, 16] bf16"
    assert graph.totals(step).macs == kernel.model.macs(step) == 2 * (4 * 10) * (8 + 8)
    assert graph.tensor("k").bytes(step) == 10 * 16 * 2


def test_experts_of_a_kernel_get_a_load() -> None:
    kernel = workload(
        "kernel", operator="expert_ffn", width=8, hidden=4, experts=4, top_k=2, function="relu", repeats=2, rows=6
    )
    assert kernel.run.routing == Load()
    assert [build_graph(kernel).operator("experts").queue_lengths(step) for step in kernel.steps()] == 2 * [  # type: ignore[attr-defined]
        (3, 3, 3, 3)
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"operator": "linear", "width": 3}, "operator: linear needs width, d_out; d_out is not given"),
        (
            {"operator": "linear", "width": 3, "d_out": 3, "heads": 2},
            "heads goes with operator: attention, softmax; this is linear",
        ),
        ({"operator": "conv"}, "operator: input should be 'linear', 'attention'"),
        (
            {"operator": "attention", "heads": 1, "head_dim": 0, "pattern": "full"},
            "head_dim: input should be greater than or equal to 1, got 0",
        ),
        (
            {"operator": "attention", "heads": 3, "kv_heads": 2, "head_dim": 8, "pattern": "full"},
            "3 heads do not share 2 kv_heads evenly",
        ),
        ({"operator": "softmax", "heads": 3, "pattern": "cousal"}, "pattern 'cousal', character 1: no kind 'cousal'"),
        (
            {"operator": "softmax", "heads": 3, "pattern": "global(9)", "rows": 8},
            "global(9): needs at least 9 tokens, got 8",
        ),
        (
            {"operator": "softmax", "heads": 3, "pattern": "causal", "rows": 8, "source": 9},
            "causal: goes by positions, which 8 queries of another sequence do not have among 9 keys",
        ),
        (
            {"operator": "add", "width": 3, "source": 9},
            "source goes with operator: attention, softmax; this is add",
        ),
        (
            {"operator": "add", "width": 3, "routing": {"load": "zipf"}},
            "routing goes with operator: route, expert_ffn; this is add",
        ),
        (
            {"operator": "route", "width": 3, "experts": 4, "top_k": 5},
            "top_k: a row cannot go to 5 of 4 experts",
        ),
    ],
)
def test_what_a_kernel_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload("kernel", **fields)
    assert str(caught.value).startswith(f"small: {message}")
