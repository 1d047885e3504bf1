"""The parameters of Edge-MoE, checked, and what follows from them."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.standards.load import load_standard
from hwsim.energy.fpga import FpgaTable, fpga_table
from hwsim.energy.table import OFF
from hwsim.errors import DramError, MachineError
from hwsim.mapping.formats import Fixed, FormatError, parse_format
from hwsim.mapping.workload.model import Name
from hwsim.parameters.units import Bytes, Hertz, Nanoseconds
from hwsim.rtl.boards import BOARDS

Switch: TypeAlias = Literal["on", "off"]
Count: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]

# What lies in memory, and what each unit writes; `hwsim.machines.edge_moe.targets` says which results go where.
BUFFERS = ("weights", "image", "x", "tmp1", "tmp2", "tmp3", "hidden", "scores", "info")


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class TechniquesSpec(_Checked):
    """The paper's five techniques; docs/edge_moe.md says what the machine is without each."""

    expert_reordering: Switch = Field(description="expert by expert, or off: token by token, each fetching its experts")
    single_pass_softmax: Switch = Field(description="in one pass with the scores, or off: three passes over them")
    gelu_approximation: Switch = Field(description="GELU by a table of differences, or off: by exp and division units")
    unified_linear: Switch = Field(
        description="one linear unit, or off: a third of it for each of three types of layer"
    )
    attention_reordering: Switch = Field(
        description="a query fetched a key, or off: as many at once as attention works on"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _switches_are_words(cls, value: Any) -> Any:
        return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value

    @property
    def off(self) -> tuple[str, ...]:
        """Those that are switched off."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) == "off")


class AttentionSpec(_Checked):
    """The units for scores and values."""

    slots: int = Field(ge=1, le=16, description="queries at once (the paper's p)")
    channels: int = Field(ge=1, le=64, description="channels of a token a cycle")
    stream_depth: int = Field(ge=2, le=1024, description="heads of scores between the units for scores and for softmax")


class LinearSpec(_Checked):
    """The linear unit and the loader of its weights."""

    in_lanes: int = Field(ge=1, le=64, description="inputs of a tile")
    out_lanes: int = Field(ge=1, le=64, description="outputs of a tile")
    input_tiles: int = Field(ge=1, le=1024, description="tiles of a token's inputs that are kept for all its outputs")
    weight_words: int = Field(ge=1, le=65_536, description="tiles of a bank of weights, of which there are two")
    bias_words: int = Field(ge=1, le=1024, description="tiles of outputs whose biases a bank holds")
    in_fifo: int = Field(ge=4, le=1024, description="tiles between reader and multipliers")
    index_fifo: int = Field(ge=4, le=1024, description="tokens that are between reader and writer")
    out_fifo: int = Field(ge=2, le=64, description="tiles between multipliers and writer")


class FormatsSpec(_Checked):
    """Number formats; activations lie in memory as they are, and so do weights, biases and pixels."""

    activation: str = Field(description="of activations, and of all sums")
    weight: str = Field(description="of the weights of linear layers, experts and gates")
    bias: str = Field(description="of biases outside attention, and of weights and biases of norms")
    attention_bias: str = Field(description="of the biases of queries, keys, values and projection")
    chip_bias: str = Field(description="in which biases of either format lie on the chip")
    patch_weight: str = Field(description="of the weights of the patch embedding")
    pixel: str = Field(description="of an image's pixels")

    @model_validator(mode="after")
    def _are_fixed_point(self) -> Self:
        for name in type(self).model_fields:
            text = getattr(self, name)
            try:
                fmt = parse_format(text)
            except FormatError as cause:
                raise ValueError(f"{name}: {cause}") from None
            fixed = isinstance(fmt, Fixed)
            if not fixed:
                raise ValueError(f"{name}: expected a fixed-point format, got {text}")
        for name in ("activation", "weight", "pixel"):
            if self.fixed(name).width % 8:
                raise ValueError(f"{name}: expected whole bytes in memory, got {getattr(self, name)}")
        widths = {name: self.fixed(name).width for name in ("weight", "bias", "attention_bias", "patch_weight")}
        if len(set(widths.values())) > 1:
            raise ValueError(f"expected weights and biases of one width in memory, got {widths}")
        return self

    def fixed(self, name: str) -> Fixed:
        """One of them."""
        fmt = parse_format(getattr(self, name))
        assert isinstance(fmt, Fixed)
        return fmt


class AxiSpec(_Checked):
    """The ports: masters in the fabric, a converter of widths each, ports of the processing system."""

    width_bits: int = Field(ge=64, le=1024, multiple_of=8, description="of a beat of the masters")
    ps_width_bits: int = Field(ge=32, le=1024, multiple_of=8, description="of a beat of the processing system's ports")
    burst_beats: int = Field(ge=1, le=256, description="longest burst of a master")
    ps_burst_beats: int = Field(ge=1, le=256, description="longest burst at the processing system's ports")
    outstanding_reads: int = Field(ge=1, le=256, description="reads of a master that may wait for data")
    outstanding_writes: int = Field(ge=1, le=256, description="writes of a master that may wait for a response")
    buffer_beats: int = Field(ge=2, le=65_536, description="beats between a master and a unit, each way")
    request_ns: Nanoseconds = Field(ge=0, le=1e6, strict=False, description="from a master to the DDR controller")
    response_ns: Nanoseconds = Field(ge=0, le=1e6, strict=False, description="from the DDR controller to a master")
    ports: dict[str, Literal["HPC0", "HPC1", "HP0", "HP1", "HP2", "HP3"]] = Field(
        description="port of the processing system that a master is connected to"
    )

    @model_validator(mode="after")
    def _widths(self) -> Self:
        if self.width_bits % self.ps_width_bits and self.ps_width_bits % self.width_bits:
            raise ValueError(f"{self.width_bits} bit of a master and {self.ps_width_bits} of a port do not divide")
        return self


class MemorySpec(_Checked):
    """The memory behind the ports."""

    standard: str = Field(max_length=4096, description="DRAM standard: a shipped name or a YAML file")
    mapping: str = Field(max_length=256, description="address mapping, of hwsim/dram/random_access/mappings.yaml")
    refresh: bool = Field(description="whether the DRAM is refreshed")
    controller_hz: Hertz = Field(ge=1_000_000, le=10_000_000_000, description="clock of the controller's ports")
    controller_bits: int = Field(ge=32, le=1024, multiple_of=8, description="width of each of the controller's ports")
    base_address: Bytes = Field(ge=0, le=1 << 40, description="where buffers begin")
    align_bytes: Bytes = Field(ge=64, le=1 << 30, description="what each buffer is aligned to")
    ports: dict[str, Annotated[int, Field(ge=0, le=15)]] = Field(
        description="port of the DDR controller behind each of the processing system's; several may share one"
    )
    timing: dict[str, float] = Field(
        default_factory=dict, strict=False, description="DRAM timing that replaces the standard's, by its names"
    )


class EdgeMoeSpec(_Checked):
    """All parameters of the machine; defaults and their provenance are in spec.yaml."""

    model: Literal["edge_moe"]
    name: Name = Field(description="name of the machine in reports")
    board: str = Field(description="board whose FPGA holds the units")
    blocks: Literal["published", "rtl"] = Field(
        description="timing and arithmetic of the units: the source's, or those of our RTL"
    )
    schedule: Literal["paper", "overlap"] = Field(
        description="as the source, which overlaps experts alone; or loads of weights under everything else"
    )
    clock_hz: Hertz = Field(ge=1_000_000, le=10_000_000_000, description="clock of units and masters")
    techniques: TechniquesSpec
    attention: AttentionSpec
    linear: LinearSpec
    formats: FormatsSpec
    axi: AxiSpec
    buffers: dict[str, str] = Field(description="the master through which each buffer is read and written")
    memory: MemorySpec
    energy: str = Field(max_length=4096, description="energy table: a shipped name, a YAML file, or `off`")
    energy_table: dict[str, float] = Field(
        default_factory=dict, strict=False, description="coefficients that replace the table's, by name"
    )

    @field_validator("energy", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return OFF if value is False else value  # YAML 1.1 reads a bare `off` as false

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.board not in BOARDS:
            raise ValueError(f"board: expected one of {', '.join(BOARDS)}, got {self.board!r}")
        for buffer, master in self.buffers.items():
            if master not in self.axi.ports:
                raise ValueError(f"buffers.{buffer}: no master {master!r}; there are {', '.join(self.axi.ports)}")
        for master, port in self.axi.ports.items():
            if port not in self.memory.ports:
                raise ValueError(
                    f"axi.ports.{master}: memory.ports has no {port}; it has {', '.join(self.memory.ports)}"
                )
        bits = self.axi.width_bits
        for name in ("activation", "weight"):
            width = self.formats.fixed(name).width
            if bits % width:
                raise ValueError(f"axi.width_bits: a beat of {bits} bit does not hold whole numbers of {width} bit")
        if self.attention.channels != bits // self.formats.fixed("activation").width:
            raise ValueError(
                f"attention.channels: a beat of {bits} bit brings {bits // self.formats.fixed('activation').width} "
                f"channels, and attention works on {self.attention.channels} a cycle"
            )
        return self

    @property
    def beat_bytes(self) -> int:
        """Bytes of a beat of a master."""
        return self.axi.width_bits // 8

    @cached_property
    def standard(self) -> Standard:
        """The DRAM behind the ports.

        Raises
        ------
        MachineError : no such standard, timing or address mapping
        """
        memory = self.memory
        try:
            standard = load_standard(memory.standard, timing=memory.timing, refresh=memory.refresh)
            load_mapping(memory.mapping, standard, 1)
        except DramError as cause:
            raise MachineError(str(cause)) from None
        return standard

    @cached_property
    def energy_costs(self) -> FpgaTable | None:
        """The energy table with its changes, or None if energy is off.

        Raises
        ------
        EnergyError : no such table or coefficient; a coefficient that is set although energy is off
        """
        return fpga_table(self.energy, self.energy_table)
