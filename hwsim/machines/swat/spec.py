"""The parameters of SWAT, checked, and what follows from them."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.energy import OFF
from hwsim.energy.fpga import FpgaTable, fpga_table
from hwsim.engine.burst_dma import BurstDma
from hwsim.engine.clock import TimeBase
from hwsim.errors import DramError, EnergyError, MachineError, nearest
from hwsim.machines.swat.companion.design import Companion
from hwsim.machines.swat.companion.spec import MatrixSpec, VectorSpec
from hwsim.mapping.formats import FLOATS, Float
from hwsim.mapping.workload.model import Name
from hwsim.parameters.units import Bytes, Cycles, Hertz, Nanoseconds
from hwsim.rtl.boards import BOARDS

FORMATS = ("fp16", "fp32")
FloatName = Literal["fp16", "fp32"]
Interval: TypeAlias = Annotated[Cycles, Field(ge=1, le=64)]
Latency: TypeAlias = Annotated[Cycles, Field(ge=0, le=1024)]
CHANNELS = ("q", "k", "v", "z", "carry")  # of each pipeline


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class HbmSpec(_Checked):
    """The board's memory: pseudo channels, each with a DMA engine of its own."""

    standard: str = Field(max_length=4096, description="DRAM standard of a channel, or a YAML file of one")
    channels: int = Field(ge=1, le=1024, description="pseudo channels of the board")
    refresh: bool = Field(description="whether the memory is refreshed")
    burst_bytes: Bytes = Field(ge=32, le=4096, description="longest burst; bursts stay within blocks of so much")
    ahead_rows: int = Field(ge=1, le=4096, description="rows of K among which a burst may gather its own")
    request_ns: Nanoseconds = Field(gt=0, le=100_000, description="from a request to the memory controller")
    response_ns: Nanoseconds = Field(gt=0, le=100_000, description="from the memory controller back")
    timing: dict[str, float] = Field(
        default_factory=dict, strict=False, description="DRAM timing that replaces the standard's, by its names"
    )


class SwatSpec(_Checked):
    """All parameters of the machine; defaults and their provenance are in spec.yaml and formats.yaml."""

    model: Literal["swat"]
    name: Name = Field(description="name of the machine in reports")
    board: str = Field(description="board of the FPGA")
    clock_hz: Hertz = Field(ge=1_000_000, le=10**10, description="clock of all units")
    format: FloatName = Field(description="of queries, keys, values and exps; intervals go with it")
    mode: Literal["lockstep", "elastic"] = Field(description="all stages advance together, or each when it can")
    softmax: Literal["plain", "safe"] = Field(description="without a maximum, or with a running one")
    window: Literal["exact", "published"] = Field(
        description="the workload's pattern, or 2w keys in the place of a symmetric window; dropped pairs are reported"
    )
    prologue: Literal["hidden", "counted"] = Field(
        description="whether the keys that a pass needs first are loaded beside the rows before it"
    )
    cores: int = Field(ge=1, le=1 << 14, description="attention cores of a pipeline, 2w")
    head_dim: int = Field(ge=1, le=1024, description="largest head that cores hold, H; smaller ones take fewer cycles")
    pipelines: int = Field(ge=1, le=64, description="pipelines side by side, each with its own heads")
    loaders: int = Field(ge=1, le=64, description="rows of K, and of V, that a LOAD stage loads side by side")
    reduction_group: int = Field(ge=1, le=1 << 14, description="cores of a group of the reductions' first level")
    sum_format: FloatName = Field(description="of sums over the cores, and of rows between passes")
    qk_sum_format: FloatName = Field(description="of the sum of products in QK; the score is in `format` again")
    reduce_order: Literal["tree", "chain"] = Field(
        description="in which ZRED1 and ZRED2 add the numbers of an element, by pairs or one by one: rounding alone"
    )
    load_interval: Interval = Field(description="from element to element of a row in LOAD")
    load_latency: Latency = Field(description="of LOAD beyond the elements")
    qk_interval: Interval = Field(description="from product to product in QK")
    qk_latency: Latency = Field(description="of QK beyond the elements")
    sv_interval: Interval = Field(description="from product to product in SV; accounts differ")
    sv_latency: Latency = Field(description="of SV beyond the elements")
    bias_latency: Latency = Field(description="of a relative bias that is added to a score")
    reduce_interval: Interval = Field(description="from element to element in ZRED1 and ZRED2")
    reduce_latency: Latency = Field(description="of ZRED1 and ZRED2 beyond the elements")
    sum_interval: Interval = Field(description="from number to number in ROWSUM1 and ROWSUM2, MAX1 and MAX2")
    sum_latency: Latency = Field(description="of these beyond the numbers")
    divide_interval: Interval = Field(description="from division to division in DIV&OUT")
    divide_latency: Latency = Field(description="of DIV&OUT beyond the elements")
    pass_interval: Interval = Field(description="from element to element of a row that leaves undivided")
    pass_latency: Latency = Field(description="of such a row beyond the elements")
    companion: Literal["matrix", "none"] = Field(description="what runs linear layers, or none: attention alone")
    matrix: MatrixSpec
    vector: VectorSpec
    hbm: HbmSpec
    energy: str = Field(max_length=4096, description="energy table: u55c, a YAML file on top of one, or `off`")
    energy_table: dict[str, float] = Field(
        default_factory=dict, strict=False, description="coefficients that replace the table's, by name"
    )

    @field_validator("energy", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return OFF if value is False else value  # YAML 1.1 reads a bare `off` as false

    @field_validator("companion", mode="before")
    @classmethod
    def _none_is_a_word(cls, value: Any) -> Any:
        return "none" if value is None else value

    @field_validator("board")
    @classmethod
    def _is_a_board(cls, board: str) -> str:
        if board not in BOARDS:
            raise ValueError(f"no such board as {board!r}{nearest(board, BOARDS)}")
        return board

    @model_validator(mode="after")
    def _channels_suffice(self) -> Self:
        of_rows = len(CHANNELS) * self.pipelines
        beside = self.matrix.channels + self.matrix.weight_channels if self.companion != "none" else 0
        if of_rows + beside > self.hbm.channels:
            other = f" and the companion {beside}" if beside else ""
            raise ValueError(
                f"pipelines: {self.pipelines} take {of_rows} channels of HBM{other}, and there are {self.hbm.channels}"
            )
        return self

    @property
    def fmt(self) -> Float:
        """Format of queries, keys, values and exps."""
        return FLOATS[self.format]

    @property
    def sum_fmt(self) -> Float:
        """Format of sums over the cores."""
        return FLOATS[self.sum_format]

    @property
    def qk_sum_fmt(self) -> Float:
        """Format of the sum of products in QK."""
        return FLOATS[self.qk_sum_format]

    @property
    def extra(self) -> int:
        """Numbers that a partial row has beside its elements: its sum, and its maximum if there is one."""
        return 2 if self.softmax == "safe" else 1

    @cached_property
    def standard(self) -> Standard:
        """A channel of the board's memory."""
        hbm = self.hbm
        try:
            return load_standard(hbm.standard, timing=hbm.timing, refresh=hbm.refresh)
        except DramError as cause:
            raise MachineError(f"hbm: {cause}") from None

    @cached_property
    def channel(self) -> BurstChannel:
        """A channel with one burst at a time."""
        try:
            return BurstChannel(
                standard=self.standard,
                parameters=load_parameters({"row_policy": "closed_adaptive"}),
                block_bytes=self.hbm.burst_bytes,
            )
        except DramError as cause:
            raise MachineError(f"hbm: {cause}") from None

    @cached_property
    def dma(self) -> BurstDma:
        """A DMA engine and its channel, before any burst; making it checks that bursts find the channel settled."""
        hbm, channel, base = self.hbm, self.channel, self.time_base
        try:
            return BurstDma(channel, base, request_ns=hbm.request_ns, response_ns=hbm.response_ns)
        except MachineError as cause:
            raise MachineError(f"hbm: {cause}") from None

    @cached_property
    def companion_units(self) -> Companion | None:
        """The companion, or None without one."""
        if self.companion == "none":
            return None
        return Companion.of(self.matrix, self.vector, fmt=self.fmt, sum_fmt=self.sum_fmt, clock_hz=self.clock_hz)

    @cached_property
    def time_base(self) -> TimeBase:
        return TimeBase.of({"fabric": self.clock_hz, "memory": self.standard.clock_hz})

    @cached_property
    def energies(self) -> FpgaTable | None:
        """The energy table, or None if energy is off.

        Raises
        ------
        MachineError : no such table, or one that leaves the memory to the currents of its chips, which nobody states
        """
        try:
            table = fpga_table(self.energy, self.energy_table)
        except EnergyError as cause:
            raise MachineError(str(cause)) from None
        if table and table.coefficients.without_memory:
            raise MachineError(
                f"energy: table {self.energy} leaves the memory to its chips' currents, and no source states those of "
                f"{self.hbm.standard}; u55c covers them, energy=off runs without"
            )
        return table
