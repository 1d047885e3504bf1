"""Whole models on the machine swat: operators one after the other, attention on the pipelines, the rest beside."""

from __future__ import annotations

import pytest

from hwsim import load_workload, run
from hwsim.machines.swat.lower import AttentionWork
from hwsim.report.schema import Report
from tests.machines.swat.swat_runs import Settings, execution, prepared, report_of, small_model

HEAD = (96 + 5) * 201  # cycles of a head of the small model


def kinds(report: Report) -> dict[str, int]:
    """Cycles of operators by kind."""
    return {part.kind: part.cycles for part in report.breakdown}


def test_operators_in_the_order_of_the_model() -> None:
    program = prepared(small_model()).program
    works = program.works(next(iter(program.steps())))  # type: ignore[attr-defined]
    names = [work.operator.name if isinstance(work, AttentionWork) else work.name for work in works]
    layers = [
        f"l{layer}.{name}"
        for layer in range(2)
        for name in (
            "q", "k", "v", "attention", "proj", "add1", "norm1", "ffn1", "gelu_erf", "ffn2", "add2", "norm2",
        )
    ]  # fmt: skip
    assert names == ["embed", "embed_norm", *layers, "pooler", "tanh"]


def test_the_latency_is_the_sum_of_all_operators() -> None:
    report = report_of(small_model())
    assert list(kinds(report)) == ["attention", "linear", "act", "norm", "eltwise", "embed"]
    assert report.cycles == sum(kinds(report).values())
    assert kinds(report)["attention"] == 2 * 2 * HEAD
    assert report.instructions == 28


def test_an_operator_begins_when_the_one_before_has_ended() -> None:
    done = execution(small_model())
    tick = done.diagram.clocks["fabric"].period_ticks
    first, second = ((each.begun // tick, each.ended // tick) for each in done.ledger.attention)
    assert (first[1] - first[0], second[1] - second[0]) == (2 * HEAD, 2 * HEAD)
    before, between, after = 14_240, 34_395, 26_437
    assert first[0] == before
    assert second[0] - first[1] == between
    assert done.ticks // tick - second[1] == after
    assert done.ticks == sum(done.ledger.kinds.values())


@pytest.mark.parametrize("settings", [{}, {"mode": "elastic"}, {"pipelines": 2}, {"cores": 20}], ids=str)
def test_attention_takes_as_long_without_a_companion(settings: Settings) -> None:
    whole, alone = (report_of(small_model(), {**settings, "companion": name}) for name in ("matrix", "none"))
    assert kinds(alone) == {"attention": alone.cycles}
    assert kinds(whole)["attention"] == pytest.approx(alone.cycles, rel=2e-3)  # refresh falls elsewhere
    assert whole.attention is not None
    assert alone.attention is not None
    assert [use.pairs for use in whole.attention] == [use.pairs for use in alone.attention]


def test_without_a_companion_nothing_of_it_is_in_the_report() -> None:
    whole, alone = (report_of(small_model(), {"companion": name}) for name in ("matrix", "none"))
    assert [each.link for each in whole.offchip] == ["q", "k", "v", "z", "activations", "weights"]
    assert [each.link for each in alone.offchip] == ["q", "k", "v", "z"]
    assert {unit.name for unit in whole.units} - {unit.name for unit in alone.units} == {"matrix", "vector"}
    assert [unit.count for report in (whole, alone) for unit in report.units if unit.name == "HBM"] == [17, 5]


def test_weights_are_read_once_a_step() -> None:
    model = small_model()
    report = report_of(model)
    weights = next(each.size_bytes for each in report.offchip if each.link == "weights")
    linear = 2 * (4 * (128 + 1) * 128 + (128 + 1) * 256 + (256 + 1) * 128) + (128 + 1) * 128
    norms = 5 * 2 * 128
    assert weights == 2 * (linear + norms)
    assert linear + norms + (1_000 + 256 + 2) * 128 == model.model.parameters  # embeddings are looked up


def test_two_pipelines_halve_attention_alone() -> None:
    one, two = (kinds(report_of(small_model(), {"pipelines": pipelines})) for pipelines in (1, 2))
    assert (one["attention"], two["attention"]) == (4 * HEAD, 2 * HEAD)
    assert two["linear"] == pytest.approx(one["linear"], rel=0.01)


def test_sequences_side_by_side_are_more_heads_and_rows_of_one_operator() -> None:
    alone, beside, odd = (
        report_of(small_model(sequences=sequences, batch=batch)) for sequences, batch in ((2, 1), (2, 2), (3, 2))
    )
    assert [report.instructions for report in (alone, beside, odd)] == [56, 28, 56]
    assert [report.throughput.count for report in (alone, beside, odd)] == [2, 2, 3]
    assert [kinds(report)["attention"] for report in (alone, beside, odd)] == [8 * HEAD, 8 * HEAD, 12 * HEAD]
    assert kinds(beside)["linear"] < kinds(alone)["linear"]  # weights are on the chip for both


def test_layers_that_see_different_keys_are_reported_each() -> None:
    report = report_of(small_model(layers=3, patterns=["full", "window(4, 4)", "window(4, 4)"]))
    uses = report.attention
    assert uses is not None
    assert [(use.pattern, use.operators, use.cores) for use in uses] == [
        ("full", 1, {"full": 96}),
        ("window(4, 4)", 2, {"window": 9}),
    ]


# --- shipped models, attention alone


@pytest.mark.parametrize(
    ("workload", "passes", "rows", "cores"),
    [
        ("longformer_base_4096", [2, 8], [7_688, 8], [{"global": 1, "window": 511}, {"full": 512}]),
        ("bigbird_base_4096", [9], [3_968 + 8 * 128], [{"global": 128, "window": 192, "random": 192}]),
        ("hat_base_4096", [1, 1], [4_096, 32], [{"segment": 128}, {"full": 32}]),
        ("vit_tiny", [1], [197], [{"full": 197}]),
    ],
)
def test_shipped_models(workload: str, passes: list[int], rows: list[int], cores: list[dict[str, int]]) -> None:
    report = run(load_workload(workload), "swat", {"companion": "none"})
    uses = report.attention
    assert uses is not None
    assert [(use.passes, use.rows, dict(use.cores)) for use in uses] == list(zip(passes, rows, cores))
    for use in uses:
        if use.queries > 1:
            assert use.cycles == pytest.approx((use.rows + 5 * use.passes) * 201, rel=1e-4)
    assert report.cycles == pytest.approx(sum(use.cycles * use.heads * use.operators for use in uses), rel=1e-6)


def test_a_global_query_waits_for_all_keys() -> None:
    """Longformer's class token: 8 passes of a row, for each of which 512 keys are loaded, two in 64 cycles."""
    report = run(load_workload("longformer_base_4096"), "swat", {"companion": "none"})
    assert report.attention is not None
    query = report.attention[1]
    assert (query.queries, query.keys, query.passes, query.loads) == (1, 4_096, 8, 4_096)
    assert query.prologue_cycles == 8 * (512 // 2 * 64 + 2)
    assert query.prologue_cycles < query.cycles < query.prologue_cycles + 8 * 6 * 201
    assert query.moved["carry"] == 7 * 2 * 288 / 128  # seven partial rows of nine accesses, written and read


@pytest.mark.parametrize(
    ("settings", "global_tokens", "passes", "cycles"),
    [
        ({}, 1, 2, (7_688 + 10) * 201),
        ({}, 0, 2, (7_687 + 10) * 201),  # 513 keys: seven of them take 513 rows each once more
        ({"window": "published"}, 1, 2, (7_680 + 10) * 201),  # 512 and the class token
        ({"window": "published"}, 0, 1, (4_096 + 5) * 201),
        ({"window": "published", "cores": 513}, 1, 1, (4_096 + 5) * 201),
        ({"cores": 514}, 1, 1, (4_096 + 5) * 201),
    ],
    ids=str,
)
def test_one_key_more_than_cores_is_a_second_pass(
    settings: Settings, global_tokens: int, passes: int, cycles: int
) -> None:
    """Longformer's window has 513 keys, and its class token takes a core."""
    workload = load_workload("longformer_base_4096", global_tokens=global_tokens, layers=1)
    report = run(workload, "swat", {"companion": "none", **settings})
    assert report.attention is not None
    use = report.attention[0]
    assert (use.passes, use.dropped) == (passes, 3_840 if "window" in settings else 0)
    assert use.cycles == pytest.approx(cycles, rel=1e-4)
