"""The units of Edge-MoE, all of them running in Verilator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hwsim.machines.edge_moe.instructions import Program
from tests.rtl.running_unit import RunningUnit
from tests.rtl.scores_unit import ScoresUnit, ScoresUnitContract
from tests.rtl.simulation import build, build_component


@dataclass(frozen=True, kw_only=True)
class MachineUnits:
    """One of each; `scores` are the units `qk` and `softmax` together."""

    scores_contract: ScoresUnitContract
    patch_embed: RunningUnit
    norm_loader: RunningUnit
    layernorm: RunningUnit
    weight_loader: RunningUnit
    linear: RunningUnit
    scores: RunningUnit
    mv: RunningUnit
    residual_add: RunningUnit
    fill: RunningUnit
    gate: RunningUnit


@contextmanager
def running_units(program: Program, folder: Path) -> Iterator[MachineUnits]:
    """Build the units of a program's machine, all of whose blocks have RTL, and run them.

    Parameters
    ----------
    folder : for what the simulators write
    """
    design, stream_depth = program.design, program.spec.attention.stream_depth
    assert design.gate is not None
    (linear,), (loader,) = design.linears.values(), design.loaders.values()
    scores = ScoresUnitContract(qk=design.qk, softmax=design.softmax, stream_depth=stream_depth)
    contracts = {
        "patch_embed": design.patch_embed, "norm_loader": design.norm_loader, "layernorm": design.layernorm,
        "weight_loader": loader, "linear": linear, "mv": design.mv,
        "residual_add": design.residual_add, "fill": design.fill, "gate": design.gate,
    }  # fmt: skip
    builds = {name: build(contract) for name, contract in contracts.items()}
    joined = build_component(ScoresUnit(scores), scores.block)
    with ExitStack() as stack:
        units = {
            name: stack.enter_context(RunningUnit(contract, builds[name], folder))
            for name, contract in contracts.items()
        }
        units["scores"] = stack.enter_context(RunningUnit(scores, joined, folder))
        yield MachineUnits(scores_contract=scores, **units)
