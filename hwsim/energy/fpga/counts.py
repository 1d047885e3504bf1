"""What a run on an FPGA did, as far as energy depends on it. A machine fills it in when it summarises a run."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

from hwsim.energy.breakdown import Component
from hwsim.rtl.contract import Contract
from hwsim.rtl.estimates import multiplier


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Operations of one kind, each of which keeps `dsps` DSP slices busy for a cycle.

    Attributes
    ----------
    name : such as `mac`, `exp`, `reciprocal`; those called `mac` are the multiply-accumulates of the report
    count : padding included
    """

    name: str
    count: int
    dsps: int

    @classmethod
    def macs(cls, count: int, a_bits: int, b_bits: int) -> Operations:
        """Multiply-accumulates of factors of these widths; long factors take several DSP slices."""
        return cls(name="mac", count=count, dsps=multiplier(a_bits, b_bits, a_bits + b_bits).dsp)

    @classmethod
    def on_block(cls, name: str, count: int, contract: Contract) -> Operations:
        """Results of a pipelined block such as `exp`, each of which passes all its DSP slices."""
        return cls(name=name, count=count, dsps=contract.resources().dsp)


@dataclass(frozen=True, kw_only=True)
class UnitWork:
    """What equal units of one name did together.

    Attributes
    ----------
    lut, ff : of all of them
    active_cycles : cycles of their clock in which they worked; the mean, where several are not alike
    bram_bits_read, bram_bits_written : in block RAM; `uram` likewise
    """

    unit: str
    lut: int
    ff: int
    active_cycles: int
    operations: tuple[Operations, ...] = ()
    bram_bits_read: int = 0
    bram_bits_written: int = 0
    uram_bits_read: int = 0
    uram_bits_written: int = 0


@dataclass(frozen=True, kw_only=True)
class PortTraffic:
    """Beats that passed an AXI port in both directions."""

    port: str
    beats: int
    beat_bits: int


@dataclass(frozen=True, kw_only=True)
class FpgaCounts:
    """What a run did.

    Attributes
    ----------
    seconds : its latency
    cycles : of the clock of the programmable logic
    dram_bits : over the pins of the board's memory
    memory : energy of that memory, by its own currents (`dram/currents/components.py`)

    Raises
    ------
    ValueError : a unit or port that is there twice
    """

    seconds: float
    cycles: int
    units: tuple[UnitWork, ...] = ()
    ports: tuple[PortTraffic, ...] = ()
    dram_bits: int = 0
    memory: tuple[Component, ...] = ()

    def __post_init__(self) -> None:
        for kind, names in (("unit", [u.unit for u in self.units]), ("port", [p.port for p in self.ports])):
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise ValueError(f"{kind} {twice} is there twice")

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all units."""
        return sum(work.count for unit in self.units for work in unit.operations if work.name == "mac")

    @property
    def dsp_operations(self) -> int:
        """DSP slices times the operations that each took part in."""
        return sum(work.count * work.dsps for unit in self.units for work in unit.operations)

    @property
    def lut_cycles(self) -> int:
        """LUTs times the cycles in which their unit worked."""
        return sum(unit.lut * unit.active_cycles for unit in self.units)

    @property
    def ff_cycles(self) -> int:
        """Registers times the cycles of the run: nothing stops their clock."""
        return sum(unit.ff for unit in self.units) * self.cycles

    @property
    def bram_bits(self) -> int:
        """Read and written."""
        return sum(unit.bram_bits_read + unit.bram_bits_written for unit in self.units)

    @property
    def uram_bits(self) -> int:
        """Read and written."""
        return sum(unit.uram_bits_read + unit.uram_bits_written for unit in self.units)

    @property
    def axi_bits(self) -> int:
        """Over all ports."""
        return sum(port.beats * port.beat_bits for port in self.ports)

    @property
    def memory_joules(self) -> float:
        """Of the board's memory."""
        return fsum(part.joules for part in self.memory)
