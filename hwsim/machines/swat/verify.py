"""SWAT's answer to `hwsim verify`: its attention, row by row as the plan has it on the cores."""

from __future__ import annotations

from hwsim.machines.swat.design import Design
from hwsim.machines.swat.lower import plan_of
from hwsim.machines.swat.mapping import map_graph
from hwsim.machines.swat.spec import SwatSpec
from hwsim.mapping.cores.plan import CorePlan
from hwsim.mapping.cores.published import published_windows
from hwsim.mapping.models import build_graph
from hwsim.mapping.patterns import Pattern
from hwsim.parameters.spec_file import SpecFile
from hwsim.rtl.row_attention.blocks import RowBlocks
from hwsim.verify.report import VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.row_attention.heads import Head
from hwsim.verify.row_attention.verify import verify_attention

# Parameters that affect numbers; the others affect timing only. Those of the plan decide in which core a key is, and
# with it the order of additions.
NUMERIC = (
    "format", "sum_format", "qk_sum_format", "reduce_order", "reduction_group", "cores", "window", "loaders",
)  # fmt: skip


def verify(request: VerifyRequest, spec: SwatSpec, spec_file: SpecFile[SwatSpec]) -> VerifyReport:
    """Compare each different head of attention with float64, plain and with a running maximum, whatever `softmax` says.

    Raises
    ------
    MachineError : attention that the cores cannot compute
    MappingError : a workload without attention
    WeightsError : weights that are not `random:SEED`
    """
    graph = build_graph(request.workload)
    map_graph(graph, request.workload, spec.model_copy(update={"companion": "none"}))  # refuses what cores cannot do
    return verify_attention(
        request, row_blocks(spec), lambda head: _planned(head, spec), spec=spec, spec_file=spec_file, numeric=NUMERIC
    )


def row_blocks(spec: SwatSpec) -> RowBlocks:
    """The contracts of the blocks that a row passes, as timing charges them."""
    built = Design.built(spec)
    return RowBlocks(
        core=built.core,
        z_reduce=built.vectors,
        row_sum=built.sums,
        divide_out=built.divider,
        row_max=built.maxima if spec.softmax == "safe" else None,
    )


def _planned(head: Head, spec: SwatSpec) -> tuple[Pattern, CorePlan]:
    """The pattern that the cores compute, and which core holds which key."""
    design = Design(spec=spec, head_dim=head.d_k, bias_entries=head.bias.entries if head.bias else 0)
    plan = plan_of(head.pattern, head.queries, head.keys, design)
    return published_windows(head.pattern) if spec.window == "published" else head.pattern, plan
