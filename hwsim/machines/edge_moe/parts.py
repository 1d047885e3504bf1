"""The parts of Edge-MoE: the units of its block diagram, with the contracts that they charge."""

from __future__ import annotations

from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.sizes import PUBLISHED, Sizes
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.rtl.contract import Contract

# Our linear unit is a block with its banks, the gathering of beats into tiles before them, and their turns, so that it
# can be proven as one; the loader that stands alone (rtl/weight_loader) has the same banks again, for who builds a
# linear unit without. In the source both banks are arrays that the loader's loop writes and the linear unit's reads:
# there is one set of them as well, which only needs to be counted with either. So it is the linear unit's with both
# presets, and what the loader adds in the source, the counters of its loop, is left out.
WITHIN = {"weight_loader": "linear"}


def units(spec: EdgeMoeSpec, sizes: Sizes = PUBLISHED) -> tuple[UnitSpec, ...]:
    """The units of a design for a model of some sizes."""
    return (*fabric(Design(spec=spec, sizes=sizes)), memory(spec))


def fabric(design: Design) -> tuple[UnitSpec, ...]:
    """The units on the FPGA."""
    found: dict[str, Contract | None] = {
        "patch_embed": design.patch_embed,
        "norm_loader": design.norm_loader,
        "layernorm": design.layernorm,
        "weight_loader": design.weight_loader,
        "linear": design.linear,
        "qk": design.qk,
        "softmax": design.softmax,
        "mv": design.mv,
        "residual_add": design.residual_add,
        "gate": design.gate,
        "fill": design.fill if design.gate else None,
    }
    clock = design.spec.clock_hz
    return tuple(
        UnitSpec(name=name, kind="fpga", clock_hz=clock, contract=contract, within=WITHIN.get(name, ""))
        for name, contract in found.items()
        if contract is not None
    )


def memory(spec: EdgeMoeSpec) -> UnitSpec:
    """The DRAM behind the ports."""
    return UnitSpec(
        name="memory",
        kind="memory",
        clock_hz=spec.standard.clock_hz,
        stated=f"DRAM engine, standard {spec.standard.name}",
        compared="with a slow reference player, command by command: docs/validation.md",
    )
