"""The coefficients of tables for boards with an FPGA: by action, or one constant power.

W x s = J; pJ an action, a bit or a cell and cycle.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import Field

from hwsim.energy.coefficient_set import MOST, CoefficientSet
from hwsim.energy.family import Family
from hwsim.energy.fpga.counts import FpgaCounts

PJ = 1e-12


class FpgaCoefficients(CoefficientSet, ABC):
    """The coefficients of every such table.

    Attributes
    ----------
    standing : components that cost time, whether or not there is work
    without_memory : whether the energy of the board's memory comes on top
    """

    standing: ClassVar[frozenset[str]]
    without_memory: ClassVar[bool]

    @abstractmethod
    def joules(self, counts: FpgaCounts) -> dict[str, float]:
        """Energy by component, the board's memory left out."""


class Actions(FpgaCoefficients):
    """Static power, and an energy for each action."""

    formulas: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {
        "device_static": ("leakage of the FPGA, all the time", ("device_static_w",)),
        "processing_system": ("processors and DDR controller, all the time", ("processing_system_w",)),
        "remainder": ("what no other coefficient explains, all the time", ("remainder_w",)),
        "clock_tree": ("each register in each cycle", ("clock_pj_per_ff",)),
        "logic": ("each LUT with its registers and nets in cycles in which its unit works", ("logic_pj_per_lut",)),
        "dsp": ("each DSP slice of each operation", ("dsp_pj",)),
        "block_ram": ("bits read and written", ("bram_pj_per_bit",)),
        "ultra_ram": ("bits read and written", ("uram_pj_per_bit",)),
        "axi": ("bits of the beats at the ports", ("axi_pj_per_bit",)),
        "dram_interface": ("bits over the memory's pins, in controller and PHY", ("dram_interface_pj_per_bit",)),
    }
    standing = frozenset({"device_static", "processing_system", "remainder", "clock_tree"})
    without_memory = True

    device_static_w: float = Field(ge=0, le=MOST, description="leakage of the FPGA, processing system included")
    processing_system_w: float = Field(ge=0, le=MOST, description="processors and DDR controller beyond leakage")
    remainder_w: float = Field(ge=0, le=MOST, description="power that no other coefficient explains, as a constant")
    clock_pj_per_ff: float = Field(ge=0, le=MOST, description="clock tree, for a register and cycle")
    logic_pj_per_lut: float = Field(ge=0, le=MOST, description="a LUT with registers, carry and nets, a cycle")
    dsp_pj: float = Field(ge=0, le=MOST, description="a DSP slice in an operation")
    bram_pj_per_bit: float = Field(ge=0, le=MOST)
    uram_pj_per_bit: float = Field(ge=0, le=MOST)
    axi_pj_per_bit: float = Field(ge=0, le=MOST, description="from the port to the memory controller")
    dram_interface_pj_per_bit: float = Field(ge=0, le=MOST, description="controller, PHY and the FPGA's pins")

    def joules(self, counts: FpgaCounts) -> dict[str, float]:
        return {
            "device_static": self.device_static_w * counts.seconds,
            "processing_system": self.processing_system_w * counts.seconds,
            "remainder": self.remainder_w * counts.seconds,
            "clock_tree": counts.ff_cycles * self.clock_pj_per_ff * PJ,
            "logic": counts.lut_cycles * self.logic_pj_per_lut * PJ,
            "dsp": counts.dsp_operations * self.dsp_pj * PJ,
            "block_ram": counts.bram_bits * self.bram_pj_per_bit * PJ,
            "ultra_ram": counts.uram_bits * self.uram_pj_per_bit * PJ,
            "axi": counts.axi_bits * self.axi_pj_per_bit * PJ,
            "dram_interface": counts.dram_bits * self.dram_interface_pj_per_bit * PJ,
        }


class ActionsWithMemory(Actions):
    """The same with an energy for each bit of the board's memory, where no source states currents of its chips."""

    formulas: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {
        **Actions.formulas,
        "memory_static": ("memory, all the time", ("memory_static_w",)),
        "memory_traffic": ("bits over the memory's pins, in the memory", ("memory_pj_per_bit",)),
    }
    standing = Actions.standing | {"memory_static"}
    without_memory = False

    memory_static_w: float = Field(ge=0, le=MOST, description="all of the board's memory, without traffic")
    memory_pj_per_bit: float = Field(ge=0, le=MOST, description="rows, data paths and pins of the memory's chips")

    def joules(self, counts: FpgaCounts) -> dict[str, float]:
        return {
            **super().joules(counts),
            "memory_static": self.memory_static_w * counts.seconds,
            "memory_traffic": counts.dram_bits * self.memory_pj_per_bit * PJ,
        }


class ConstantPower(FpgaCoefficients):
    """One power for the whole board, whatever it does."""

    formulas: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {"board": ("power over time", ("power_w",))}
    standing = frozenset({"board"})
    without_memory = False

    power_w: float = Field(ge=0, le=MOST, description="of everything on the board")

    def joules(self, counts: FpgaCounts) -> dict[str, float]:
        return {"board": self.power_w * counts.seconds}


FPGA_TABLES = ("zcu102", "zcu104", "u55c", "m3vit")
FPGA: Family[FpgaCoefficients] = Family(
    names=FPGA_TABLES,
    equations={"actions": Actions, "actions_with_memory": ActionsWithMemory, "constant_power": ConstantPower},
)
