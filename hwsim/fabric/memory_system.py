"""AXI ports of a fabric, and the memory behind them: what they are, as frozen values.

A master port of the fabric speaks in beats of its own width to a port of the processing system, which is narrower or as
wide, through an interconnect. Ports of the processing system reach the memory controller at a port each, or share one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.masters import Policy
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.errors import MachineError, WiringError
from hwsim.fabric.task import Task

PARTS = 1 << 10  # transactions of a narrow port and direction without an answer
MOST = 256  # beats of a burst in AXI4, and transactions
BOUNDARY = 4096  # bytes; no AXI burst crosses a multiple of it


@dataclass(frozen=True, kw_only=True)
class AxiPort:
    """A master port of the fabric, with the port of the processing system that it is connected to.

    Attributes
    ----------
    width_bits, narrow_bits : of the master's data, and of the processing system's port
    outstanding_reads, outstanding_writes : transactions without an answer that the master allows
    burst : beats of the master's width in its longest burst
    buffer_beats : beats that the master holds in each direction; requests of reads reserve their place
    narrow_burst : beats of the narrow port in the longest transaction there; longer ones are split
    controller_port : name of the memory controller's port
    """

    name: str
    width_bits: int = 256
    narrow_bits: int = 128
    outstanding_reads: int = 16
    outstanding_writes: int = 16
    burst: int = 16
    buffer_beats: int = 256
    narrow_burst: int = 16
    controller_port: str

    def __post_init__(self) -> None:
        for field in ("width_bits", "narrow_bits"):
            bits = getattr(self, field)
            if bits not in (32, 64, 128, 256, 512, 1024):
                raise MachineError(f"AXI port {self.name}: {field} must be 32, 64, 128, 256, 512 or 1024, got {bits}")
        if self.narrow_bits > self.width_bits:
            raise MachineError(
                f"AXI port {self.name}: its {self.width_bits} bits are narrower than the {self.narrow_bits} behind it"
            )
        for field, most in (
            ("outstanding_reads", 256),
            ("outstanding_writes", 256),
            ("burst", 256),
            ("narrow_burst", 256),
        ):
            if not 1 <= getattr(self, field) <= most:
                raise MachineError(f"AXI port {self.name}: {field} must be 1 to {most}, got {getattr(self, field)}")
        if self.buffer_beats < self.burst:
            raise MachineError(
                f"AXI port {self.name}: a burst of {self.burst} beats does not fit its buffer of {self.buffer_beats}"
            )
        if self.narrow_burst < self.ratio:
            raise MachineError(
                f"AXI port {self.name}: a beat of {self.width_bits} bits does not fit a transaction of "
                f"{self.narrow_burst} beats of {self.narrow_bits}"
            )
        if self.parts > PARTS:
            raise MachineError(
                f"AXI port {self.name}: may have {PARTS} narrow transactions on their way, not {self.parts}"
            )

    @property
    def beat_bytes(self) -> int:
        return self.width_bits // 8

    @property
    def ratio(self) -> int:
        """Cycles that a beat takes on the narrow port."""
        return self.width_bits // self.narrow_bits

    @property
    def part_beats(self) -> int:
        """Beats of the master in the longest transaction of the narrow port."""
        return self.narrow_burst // self.ratio

    @property
    def parts(self) -> int:
        """Most transactions of the narrow port without an answer, in either direction."""
        return max(self.outstanding_reads, self.outstanding_writes) * -(-self.burst // self.part_beats)


@dataclass(frozen=True, kw_only=True)
class ControllerPort:
    """A port of the memory controller: `width_bits` each way in a cycle of `clock_hz`."""

    name: str
    width_bits: int = 128
    clock_hz: int | Fraction


@dataclass(frozen=True, kw_only=True)
class MemorySystem:
    """Ports, what lies between them and the memory controller, and the memory.

    Attributes
    ----------
    request_ns, response_ns : from a request at the master to the controller's port, and back, through interconnect and
        processing system; the memory's own time comes on top
    memory_clock_hz : of the DRAM's commands

    Raises
    ------
    MachineError : a port that leads nowhere, or a controller port whose beats do not fit the memory's clock
    """

    ports: Sequence[AxiPort]
    controller_ports: Sequence[ControllerPort]
    request_ns: float
    response_ns: float
    memory_clock_hz: int | Fraction
    mapping: AddressMapping
    parameters: ControllerParameters
    policy: Policy = "round_robin"

    def __post_init__(self) -> None:
        names = [port.name for port in self.controller_ports]
        for port in self.ports:
            if port.controller_port not in names:
                raise MachineError(f"AXI port {port.name}: there is no controller port {port.controller_port!r}")
        for field in ("request_ns", "response_ns"):
            if getattr(self, field) <= 0:
                raise MachineError(f"{field} must be above 0, got {getattr(self, field)}")
        for controller_port in self.controller_ports:
            self.every(controller_port)

    def check(self, task: Task) -> None:
        """Check that a task's transfers are at ports that are there and stay in the memory.

        Raises
        ------
        WiringError : they do not
        """
        ports = {port.name: port for port in self.ports}
        for transfer in task.transfers:
            if transfer.port not in ports:
                raise WiringError(f"task {task.name}: there is no AXI port {transfer.port}")
            size = transfer.beats * ports[transfer.port].beat_bytes
            last = max(transfer.chunks, default=0)
            if last + size > self.mapping.capacity_bytes:
                raise WiringError(
                    f"task {task.name}: a chunk of {size} B from {last:#x} leaves the memory of "
                    f"{self.mapping.capacity_bytes} B"
                )

    def every(self, port: ControllerPort) -> int:
        """Cycles of the memory that an access takes at a controller port.

        Raises
        ------
        MachineError : they are no whole number
        """
        column = self.mapping.standard.column_bytes
        cycles = Fraction(column * 8, port.width_bits) * Fraction(self.memory_clock_hz) / Fraction(port.clock_hz)
        if cycles.denominator != 1:
            raise MachineError(
                f"controller port {port.name}: an access of {column} B takes {float(cycles):g} cycles of the memory "
                f"at {port.width_bits} bits and {float(port.clock_hz) / 1e6:g} MHz; expected a whole number"
            )
        return int(cycles)
