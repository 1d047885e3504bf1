"""The parameters of M3ViT's accelerator, checked, and what follows from them."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.energy import OFF
from hwsim.energy.fpga import FpgaTable, fpga_table
from hwsim.engine.clock import TimeBase
from hwsim.errors import DramError, EnergyError, MachineError, nearest
from hwsim.fabric.memory_system import AxiPort, ControllerPort, MemorySystem
from hwsim.machines.m3vit.sizes import Sizes
from hwsim.mapping.formats import Fixed, FormatError, parse_format
from hwsim.mapping.workload.model import Name
from hwsim.parameters.units import Bytes, Cycles, Hertz, Nanoseconds
from hwsim.rtl.boards import BOARDS
from hwsim.rtl.contract import ContractError
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.head_engine.contract import HeadEngineContract
from hwsim.rtl.inverse_root.contract import ReciprocalContract

Mode = Literal["reorder", "cache", "resident"]
Policy = Literal["lru", "fifo", "lfu", "random", "optimal"]
DATA_PORT = "HPC0"  # images, results, and what passes between steps where that lies in memory
STREAM_PORT = "HPC1"  # what is added to it: reads of a second stream at the same port could block the first for good
DATA_PORTS = (DATA_PORT, STREAM_PORT)


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class FormatsSpec(_Checked):
    """Number formats; those of weights, biases and activations say what memories hold."""

    activation: str = Field(max_length=64, description="between the steps of a layer")
    weight: str = Field(max_length=64, description="of all matrices")
    bias: str = Field(max_length=64, description="of all biases and norms")
    accumulator: str = Field(max_length=64, description="of sums")
    pixel: str = Field(max_length=64, description="of an image in memory")

    @field_validator("*")
    @classmethod
    def _is_fixed(cls, text: str) -> str:
        try:
            fmt = parse_format(text)
        except FormatError as cause:
            raise ValueError(str(cause)) from None
        if not isinstance(fmt, Fixed) or fmt.width % 8:
            raise ValueError(f"expected a fixed-point format of whole bytes, got {text}")
        return text

    def fixed(self, name: str) -> Fixed:
        """One of them as a format."""
        fmt = parse_format(getattr(self, name))
        assert isinstance(fmt, Fixed)
        return fmt

    def number_bytes(self, name: str) -> int:
        """Bytes of a number in one of them."""
        return self.fixed(name).width // 8


class EngineSpec(_Checked):
    """Multiply-accumulate units, a group for each head."""

    heads: int = Field(ge=1, le=1024, description="heads that work in parallel")
    macs_per_head: int = Field(ge=1, le=4096, description="multiply-accumulates a cycle for each of them")
    in_lanes: int = Field(ge=1, le=64, description="of these, inputs of the same output")
    queries_ahead: int = Field(ge=1, le=64, description="queries whose scores come before the first one's values")

    @model_validator(mode="after")
    def _lanes_divide(self) -> Self:
        if self.macs_per_head % self.in_lanes:
            raise ValueError(f"in_lanes {self.in_lanes} do not divide macs_per_head {self.macs_per_head}")
        return self


class LanesSpec(_Checked):
    """A unit that works on some numbers a cycle."""

    lanes: int = Field(ge=1, le=64, description="numbers a cycle")


class AdderSpec(LanesSpec):
    """The unit that adds what a branch gives to the stream."""

    latency: Cycles = Field(ge=1, le=64, description="from operands to sum")


class GateSpec(LanesSpec):
    """The unit that chooses experts."""

    experts: int = Field(ge=1, le=64, description="experts whose logits are computed at a time")


class BuffersSpec(_Checked):
    """Memories for weights that are streamed from the board's memory."""

    attention_bytes: Bytes = Field(ge=1, le=1 << 34, description="of the matrices of attention")
    expert_buffers: int = Field(ge=2, le=64, description="one is filled while another is used")
    expert_buffer_bytes: Bytes = Field(ge=1, le=1 << 34, description="of each; dense hidden layers use them too")

    @property
    def expert_bytes(self) -> int:
        """Of all expert buffers."""
        return self.expert_buffers * self.expert_buffer_bytes


class CacheSpec(_Checked):
    """The cache of experts in mode `cache`."""

    capacity_bytes: Bytes = Field(ge=1, le=1 << 34, description="it holds as many whole experts as fit")
    policy: Policy = Field(description="which expert gives way: least recently used, oldest, least often used, any, "
                           "or that which is needed again latest")  # fmt: skip
    seed: int = Field(ge=0, le=2**63 - 1, description="of the draws, for random")
    held_first: bool = Field(
        description="whether those of a token's experts that are held are served before the others"
    )
    fetch_ahead: int = Field(ge=0, le=64, description="misses that are fetched before what precedes them is done")


class AxiSpec(_Checked):
    """Ports of the processing system: those that weights come over, and one for images and results."""

    width_bits: int = Field(ge=32, le=1024, description="of a beat")
    burst_beats: int = Field(ge=1, le=256, description="beats of a transaction")
    outstanding: int = Field(ge=1, le=256, description="transactions of a port without an answer")
    buffer_beats: int = Field(ge=1, le=1 << 20, description="beats that a port holds in each direction")
    weight_ports: int = Field(ge=1, le=4, description="ports that weights come over, HP0 first")
    request_ns: Nanoseconds = Field(gt=0, le=100_000, description="from a request to the memory controller")
    response_ns: Nanoseconds = Field(gt=0, le=100_000, description="from the memory controller back")


class MemorySpec(_Checked):
    """The board's memory."""

    standard: str = Field(max_length=4096, description="DRAM standard, or a YAML file of one")
    bin: str | None = Field(max_length=64, description="speed bin of the standard")
    device: str | None = Field(max_length=64, description="density and width of a chip")
    mapping: str | None = Field(max_length=64, description="address mapping")
    refresh: bool = Field(description="whether the memory is refreshed")
    controller_ratio: int = Field(ge=1, le=64, description="cycles of the memory in one of the controller's ports")
    controller_bits: int = Field(ge=8, le=4096, description="width of the controller's ports")
    ports: dict[str, Annotated[int, Field(ge=0, le=15)]] = Field(
        strict=False, description="port of the controller, by PS port"
    )
    timing: dict[str, float] = Field(
        default_factory=dict, strict=False, description="DRAM timing that replaces the standard's, by its names"
    )


class M3vitSpec(_Checked):
    """All parameters of the machine; defaults and their provenance are in spec.yaml."""

    model: Literal["m3vit"]
    name: Name = Field(description="name of the machine in reports")
    mode: Mode = Field(description="expert by expert, token by token through a cache of experts, or all on chip")
    board: str = Field(description="board of the FPGA")
    clock_hz: Hertz = Field(ge=1_000_000, le=10**10, description="clock of all units")
    activations: Literal["on_chip", "memory"] = Field(description="where what passes between steps of a layer lies")
    preload: bool = Field(description="whether the first experts are loaded before tokens are routed")
    energy: str = Field(max_length=4096, description="energy table: m3vit, zcu104, a YAML file on top of one, or `off`")
    energy_table: dict[str, float] = Field(
        default_factory=dict, strict=False, description="coefficients that replace the table's, by name"
    )
    formats: FormatsSpec
    engine: EngineSpec
    norm: LanesSpec
    softmax: LanesSpec
    gate: GateSpec
    gelu: LanesSpec
    adder: AdderSpec
    token_fifo: int = Field(ge=1, le=1024, description="tokens that wait between two units")
    buffers: BuffersSpec
    cache: CacheSpec
    axi: AxiSpec
    memory: MemorySpec
    built_for: Sizes

    @field_validator("energy", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return OFF if value is False else value  # YAML 1.1 reads a bare `off` as false

    @field_validator("board")
    @classmethod
    def _is_a_board(cls, board: str) -> str:
        if board not in BOARDS:
            raise ValueError(f"no such board as {board!r}{nearest(board, BOARDS)}")
        return board

    @cached_property
    def head_engine(self) -> HeadEngineContract:
        """What the engine charges."""
        own = ("activation", "weight", "bias", "accumulator")
        try:
            return HeadEngineContract.from_preset(
                "published",
                heads=self.engine.heads,
                out_lanes=self.engine.macs_per_head // self.engine.in_lanes,
                in_lanes=self.engine.in_lanes,
                **{name: self.formats.fixed(name) for name in own},
            )
        except ContractError as cause:
            raise MachineError(f"engine: {cause}") from None

    @cached_property
    def exp(self) -> ExpContract:
        """A lane of the softmax."""
        try:
            return ExpContract.from_preset("rtl", argument=self.formats.fixed("accumulator"))
        except ContractError as cause:
            raise MachineError(f"softmax: {cause}") from None

    @cached_property
    def reciprocal(self) -> ReciprocalContract:
        """What makes 1/sum of a query's exponentials."""
        return ReciprocalContract.from_preset("rtl")

    @cached_property
    def gelu_lanes(self) -> GeluDeltaContract:
        """The unit of the activation function."""
        return GeluDeltaContract.from_preset("rtl", lanes=self.gelu.lanes, value=self.formats.fixed("accumulator"))

    @cached_property
    def standard(self) -> Standard:
        """The board's memory."""
        memory = self.memory
        try:
            return load_standard(
                memory.standard, bin=memory.bin, device=memory.device, timing=memory.timing, refresh=memory.refresh
            )
        except DramError as cause:
            raise MachineError(str(cause)) from None

    @property
    def weight_ports(self) -> tuple[str, ...]:
        """Ports that weights come over."""
        return tuple(f"HP{number}" for number in range(self.axi.weight_ports))

    @cached_property
    def memory_system(self) -> MemorySystem:
        """Ports, controller and memory."""
        memory, axi = self.memory, self.axi
        named = {name: f"S{self._controller_port(name)}" for name in (*self.weight_ports, *DATA_PORTS)}
        ports = [
            AxiPort(
                name=name,
                width_bits=axi.width_bits,
                narrow_bits=axi.width_bits,
                outstanding_reads=axi.outstanding,
                outstanding_writes=axi.outstanding,
                burst=axi.burst_beats,
                buffer_beats=axi.buffer_beats,
                narrow_burst=axi.burst_beats,
                controller_port=controller,
            )
            for name, controller in named.items()
        ]
        clock_hz = self.standard.clock_hz / memory.controller_ratio
        controllers = [
            ControllerPort(name=name, width_bits=memory.controller_bits, clock_hz=clock_hz)
            for name in dict.fromkeys(named.values())
        ]
        try:
            return MemorySystem(
                ports=ports,
                controller_ports=controllers,
                request_ns=axi.request_ns,
                response_ns=axi.response_ns,
                memory_clock_hz=self.standard.clock_hz,
                mapping=load_mapping(memory.mapping, self.standard, 1),
                parameters=load_parameters(),
            )
        except DramError as cause:
            raise MachineError(str(cause)) from None

    @cached_property
    def time_base(self) -> TimeBase:
        return TimeBase.of({"fabric": self.clock_hz, "memory": self.standard.clock_hz})

    @cached_property
    def energies(self) -> FpgaTable | None:
        """The energy table, or None if energy is off."""
        try:
            return fpga_table(self.energy, self.energy_table)
        except EnergyError as cause:
            raise MachineError(str(cause)) from None

    def _controller_port(self, port: str) -> int:
        if port not in self.memory.ports:
            raise MachineError(f"memory.ports: says nothing about {port}; it has {', '.join(self.memory.ports)}")
        return self.memory.ports[port]
