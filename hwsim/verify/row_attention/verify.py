"""What a machine that is attention on cores answers to `hwsim verify`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from hwsim.errors import MappingError, WeightsError
from hwsim.mapping.cores.plan import CorePlan
from hwsim.mapping.models import build_graph
from hwsim.mapping.patterns import Pattern
from hwsim.parameters.spec_file import SpecFile
from hwsim.rtl.row_attention.blocks import RowBlocks
from hwsim.verify.float64_attention import queries_with_keys
from hwsim.verify.report import AttentionVerified, VerifiedAttentionSize, VerifiedPattern, VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.row_attention.comparison import compare_head
from hwsim.verify.row_attention.heads import AlikeHeads, Head, heads_of
from hwsim.verify.unconfirmed import unconfirmed_parameters
from hwsim.verify.weights import is_random, seed_of
from hwsim.version import VERSION

SpecT = TypeVar("SpecT", bound=BaseModel)

# Of a head, unless all are asked for: at most so many rows, and at least so few, that make about so many pairs.
MOST_ROWS = 256
FEWEST_ROWS = 16
PAIRS = 1 << 17


def verify_attention(
    request: VerifyRequest,
    blocks: RowBlocks,
    plan_of: Callable[[Head], tuple[Pattern, CorePlan]],
    *,
    spec: SpecT,
    spec_file: SpecFile[SpecT],
    numeric: Collection[str],
) -> VerifyReport:
    """Compare each different head of attention by itself with float64; linear layers are not verified.

    Sizes are the workload's own, and so is the plan. Of many rows some are computed, evenly spread, each exactly as if
    all were, since rows do not know each other; `--full` computes them all.

    Parameters
    ----------
    blocks : of one pipeline, as timing charges them
    plan_of : the pattern that the cores compute, which may be another than the exact one if the user asks for it, and
        which core holds which key
    numeric : parameters that affect the numbers; others are not listed in `unconfirmed`

    Raises
    ------
    MappingError : a workload without attention, an attention of another form, a pattern that the cores cannot hold
    WeightsError : weights that are not `random:SEED`
    """
    parameters = spec.model_dump()
    seed = _seed(request.weights)
    workload = request.workload
    alike = heads_of(build_graph(workload), workload.run.last_step(workload.model))
    if not alike:
        raise MappingError(f"{parameters['name']}: {workload.name} has no attention to verify")
    biased = any(heads.head.bias for heads in alike)
    blocks = replace(blocks, core=replace(blocks.core, biased=biased))
    patterns = []
    for number, heads in enumerate(alike):
        patterns.append(_verified(heads, *plan_of(heads.head), blocks, seed, full=request.full))
        if request.progress:
            request.progress(number + 1, len(alike))
    return VerifyReport(
        hwsim_version=VERSION,
        machine=parameters["name"],
        workload=workload.name,
        weights=f"random:{seed}",
        seed=seed,
        size=_size(request, alike, blocks),
        functions=[],
        layers=[],
        attention=AttentionVerified(
            format=str(blocks.core.fmt), sum_format=str(blocks.row_sum.sum_fmt), patterns=patterns
        ),
        blocks={name: contract.parameters() for name, contract in blocks.safe.contracts.items()},
        parameters=parameters,
        unconfirmed=unconfirmed_parameters(spec, spec_file, numeric),
    )


def _seed(weights: str) -> int:
    if not is_random(weights):
        raise WeightsError(f"--weights {weights}: attention is verified by itself, on inputs of random:SEED")
    return seed_of(weights)


def _verified(
    alike: AlikeHeads, computed: Pattern, plan: CorePlan, blocks: RowBlocks, seed: int, *, full: bool
) -> VerifiedPattern:
    head = replace(alike.head, pattern=computed)
    able = queries_with_keys(computed, head.queries, head.keys)
    queries = able if full else _spread(able, _enough_rows(plan))
    return VerifiedPattern(
        pattern=str(alike.head.pattern),
        computed=str(computed),
        operators=list(alike.operators),
        heads=alike.heads,
        head_dim=head.d_k,
        value_dim=head.d_v,
        scale=head.scale,
        relative_bias=head.bias is not None,
        rows=len(queries),
        of_rows=head.queries,
        keys=head.keys,
        passes=len(plan.passes),
        dropped=plan.dropped,
        added=plan.added,
        errors=list(compare_head(head, plan, blocks, queries, seed)),
    )


def _enough_rows(plan: CorePlan) -> int:
    """So many rows as make about `PAIRS` pairs."""
    return max(FEWEST_ROWS, min(MOST_ROWS, PAIRS * plan.queries // max(1, plan.pairs)))


def _spread(numbers: list[int], most: int) -> list[int]:
    """At most `most` of some numbers, evenly spread, the first and the last among them."""
    chosen = np.linspace(0, len(numbers) - 1, min(len(numbers), most)).round().astype(int)
    return [numbers[index] for index in chosen.tolist()]


def _size(request: VerifyRequest, alike: list[AlikeHeads], blocks: RowBlocks) -> VerifiedAttentionSize:
    return VerifiedAttentionSize(
        layers=getattr(request.workload.model, "layers", 0),
        of_layers=getattr(request.own.model, "layers", 0),
        operators=len({name for heads in alike for name in heads.operators}),
        heads=sum(heads.heads for heads in alike),
        distinct=len(alike),
        tokens=max(heads.head.keys for heads in alike),
        cores=blocks.cores,
    )
