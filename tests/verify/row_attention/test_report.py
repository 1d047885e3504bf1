"""What `verify_attention` reports, and how it is printed."""

import io
from typing import Any

import pytest
from rich.console import Console

from hwsim.errors import MappingError, WeightsError
from hwsim.machines.find import load_machine
from hwsim.mapping.cores.plan import CorePlan
from hwsim.mapping.patterns import Pattern, parse_pattern
from hwsim.mapping.workload.load import load_workload
from hwsim.mapping.workload.workload import Workload
from hwsim.shipped import find_workload
from hwsim.verify.render import render
from hwsim.verify.report import VERIFY_SCHEMA_VERSION, VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.row_attention.heads import Head
from hwsim.verify.row_attention.verify import verify_attention
from tests.rtl.test_row_attention import blocks
from tests.verify.row_attention.plans import plain_plan
from tests.verify.row_attention.test_comparison import kernel


def planned(head: Head) -> tuple[Pattern, CorePlan]:
    return head.pattern, plain_plan(head.pattern, head.queries, head.keys, 16)


def report(workload: Workload[Any, Any], plan_of: Any = planned, **given: Any) -> VerifyReport:
    """As a machine whose parameters decide nothing here answers."""
    machine, spec = load_machine("aim", {})
    request = VerifyRequest(workload=workload, own=workload, weights=given.pop("weights", "random:0"), **given)
    return verify_attention(
        request, blocks(cores=16, group=4), plan_of, spec=spec, spec_file=machine.spec_file, numeric=()
    )


def text(of: VerifyReport) -> str:
    out = io.StringIO()
    render(of, Console(file=out, width=240))
    return out.getvalue()


def test_a_report_says_what_was_verified() -> None:
    found = report(kernel("window(8, 7)", 3))
    assert (found.schema_version, VERIFY_SCHEMA_VERSION) == ("1.2", "1.2")
    assert found.size.model_dump() == {
        "layers": 0, "of_layers": 0, "operators": 1, "heads": 3, "distinct": 1, "tokens": 64, "cores": 16,
    }  # fmt: skip
    assert found.attention is not None
    (pattern,) = found.attention.patterns
    assert (pattern.rows, pattern.of_rows, pattern.keys, pattern.passes, len(pattern.errors)) == (64, 64, 64, 1, 12)
    assert list(found.blocks) == ["attention_core", "z_reduce", "row_sum", "row_max", "divide_out"]
    assert VerifyReport.model_validate_json(found.to_json()) == found


def test_a_report_is_printed_as_a_table_a_pattern() -> None:
    printed = text(report(kernel("strided_heads(2)", 2)))
    for expected in (
        "k on aim: numerics of attention in fp16, sums in fp32; 1 operator with 2 heads, 2 different",
        "linear layers, norms and activations are not verified",
        "inputs random:0, rounded to fp16\n",
        "strided(2, 0) (attention); 64 rows over 64 keys, H 8, 2 passes of 16 cores",
        "strided(2, 1) (attention); 64 rows over 64 keys, H 8, 2 passes of 16 cores",
        "zero exps",
        "lost rows",
        "order tree",
    ):
        assert expected in printed


def test_of_many_rows_some_are_taken() -> None:
    long = kernel("window(3, 3)", 1)
    long = Workload(model=long.model, run=long.run.model_copy(update={"rows": 1000}))
    some, every = (report(long, full=full) for full in (False, True))
    assert "256 of 1,000 rows over 1,000 keys" in text(some)
    assert "; --full computes all rows" in text(some)
    assert "(attention); 1,000 rows over" in text(every)


def test_a_pattern_that_was_asked_for_is_compared_with_itself() -> None:
    other = parse_pattern("window(8, 7)")

    def published(head: Head) -> tuple[Pattern, CorePlan]:
        plan = plain_plan(other, head.queries, head.keys, 16)
        return other, CorePlan(**{**vars(plan), "dropped": 56})

    found = report(kernel("window(8, 8)", 1), published)
    assert "window(8, 8) (attention), computed as window(8, 7): 56 pairs dropped, 0 added; 64 rows" in text(found)
    assert found.attention is not None
    assert found.attention.patterns[0].errors[0].max_absolute == pytest.approx(2e-3, abs=2e-3)


def test_progress_is_told_a_head() -> None:
    told: list[tuple[int, int]] = []
    report(kernel("strided_heads(2)", 2), progress=lambda *of: told.append(of))
    assert told == [(1, 2), (2, 2)]


def test_rows_without_keys_are_left_out() -> None:
    found = report(kernel("cross_segment(8)", 1))
    assert "8 of 64 rows over 64 keys" in text(found)


def test_what_cannot_be_verified() -> None:
    with pytest.raises(WeightsError, match="--weights here: attention is verified by itself, on inputs of random:SEED"):
        report(kernel("full", 1), weights="here")
    norm = load_workload(find_workload("deit_tiny"), {})
    assert report(norm).size.model_dump()["heads"] == 36
    other = kernel("full", 1)
    norms = {"name": "n", "operator": "layernorm", "width": 4, "provenance": {"grade": "A", "source": "a test"}}
    with pytest.raises(MappingError, match="aim: n has no attention to verify"):
        report(Workload(model=type(other.model).model_validate(norms), run=other.run))
