"""The parts of Edge-MoE: the units of its block diagram, with the contracts that they charge."""

from __future__ import annotations

from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.sizes import PUBLISHED, Sizes
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.rtl.contract import Contract


def units(spec: EdgeMoeSpec, sizes: Sizes = PUBLISHED) -> tuple[UnitSpec, ...]:
    """The units of a design for a model of some sizes."""
    return (*fabric(Design(spec=spec, sizes=sizes)), *between(spec), memory(spec))


def fabric(design: Design) -> tuple[UnitSpec, ...]:
    """The units on the FPGA; a loader of weights lies within its linear unit.

    Our linear unit is a block with its banks, the gathering of beats into tiles before them, and their turns, so that
    it can be proven as one; the loader that stands alone (rtl/weight_loader) has the same banks again, for who builds a
    linear unit without. In the source both banks are arrays that the loader's loop writes and the linear unit's reads:
    there is one set of them as well, which only needs to be counted with either. So it is the linear unit's with both
    presets, and what the loader adds in the source, the counters of its loop, is left out.
    """
    found: dict[str, Contract | None] = {
        "patch_embed": design.patch_embed,
        "norm_loader": design.norm_loader,
        "layernorm": design.layernorm,
        **design.loaders,
        **design.linears,
        "qk": design.qk,
        "softmax": design.softmax,
        "mv": design.mv,
        "residual_add": design.residual_add,
        "gate": design.gate,
        "fill": design.fill if design.gate else None,
    }
    clock, within = design.spec.clock_hz, {shape.loader: shape.unit for shape in design.target.shapes}
    return tuple(
        UnitSpec(name=name, kind="fpga", clock_hz=clock, contract=contract, within=within.get(name, ""))
        for name, contract in found.items()
        if contract is not None
    )


def between(spec: EdgeMoeSpec) -> tuple[UnitSpec, ...]:
    """What joins the units on the FPGA, whose cells nobody has counted."""
    ports = "masters and converters of widths, played by the rules in hwsim/fabric"
    calls = "calls take no time of their own"
    return (
        UnitSpec(name="axi", kind="fpga", clock_hz=spec.clock_hz, count=len(spec.axi.ports), stated=ports),
        UnitSpec(name="sequencer", kind="fpga", clock_hz=spec.clock_hz, stated=calls),
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
