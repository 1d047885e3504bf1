"""The parameters of PIM-GPT, checked, and what follows from them."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hwsim.devices.spec import DevicesSpec
from hwsim.dram.device.standard import Standard
from hwsim.dram.standards.load import load_standard, timing_defaults
from hwsim.energy import OFF, Costs, DramDevice, load_table
from hwsim.engine.clock import TimeBase
from hwsim.errors import DramError, MachineError
from hwsim.mapping.formats import BF16, Format, FormatError, parse_format
from hwsim.mapping.pim import PimTarget
from hwsim.mapping.workload.model import Name
from hwsim.parameters.units import Bytes, Cycles, GigabitsPerSecond, GigabytesPerSecond, Hertz, Nanoseconds
from hwsim.rtl.mac_unit.contract import MacUnitContract
from hwsim.rtl.sram.contract import SramContract
from hwsim.rtl.vector_unit.contract import VectorUnitContract

STANDARD = "pim_gpt"
DRAMS = (STANDARD, "hbm2_newton", "hbm_pim")
# Timing parameters that follow from the machine's pins and MAC units.
DERIVED_TIMING = ("tBL_ns", "tMAC_ns")
ELEMENT_BYTES = 2  # BF16


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class AsicSpec(_Checked):
    """The chip next to the DRAM."""

    clock_hz: Hertz = Field(ge=1_000, le=100_000_000_000, description="clock of the ASIC")
    adders: int = Field(ge=1, le=1_000_000, description="pipelined adders, an operation a cycle each")
    multipliers: int = Field(ge=1, le=1_000_000, description="pipelined multipliers, an operation a cycle each")
    adder_latency: Cycles = Field(ge=1, le=1_000, description="from operands to a sum")
    multiplier_latency: Cycles = Field(ge=1, le=1_000, description="from operands to a product")
    sram_bytes: Bytes = Field(ge=1, le=1 << 40, description="on-chip memory")
    sram_width_bytes: Bytes = Field(ge=1, le=1 << 20, description="bytes that the SRAM moves a cycle")
    taylor_terms: int = Field(ge=1, le=20, description="terms of the exponential's series")
    newton_steps: int = Field(ge=0, le=10, description="Newton-Raphson steps of a reciprocal")
    rsqrt_steps: int = Field(ge=0, le=10, description="Newton steps of a reciprocal square root")
    internal: str = Field(description="format of all arithmetic")
    accumulator: str = Field(description="format of running sums")


class HostSpec(_Checked):
    """The computer that feeds tokens and may run the vocabulary projection."""

    link_gb_per_s: GigabytesPerSecond = Field(gt=0, le=1e6, strict=False, description="link between host and ASIC")
    link_latency_ns: Nanoseconds = Field(ge=0, le=1e9, strict=False, description="of each transfer on that link")
    memory_gb_per_s: GigabytesPerSecond = Field(gt=0, le=1e6, strict=False, description="the host's own memory")


class PimGptSpec(DevicesSpec, _Checked):
    """All parameters of the machine; defaults and their provenance are in spec.yaml."""

    model: Literal["pim_gpt"]
    name: Name = Field(description="name of the machine in reports")
    dram: Literal["pim_gpt", "hbm2_newton", "hbm_pim"] = Field(description="standard of the channels; drams.yaml")
    channels: int = Field(ge=1, le=4096, description="channels of the memory")
    banks: int = Field(ge=1, le=16, description="banks a channel")
    bank_groups: int = Field(ge=1, le=16, description="groups that the banks of a channel form")
    rows: int = Field(ge=1, le=1 << 24, description="rows a bank")
    row_bytes: Bytes = Field(ge=2, le=1 << 20, description="size of a row")
    access_bytes: Bytes = Field(ge=2, le=1 << 12, description="bytes of one column access")
    pins: int = Field(ge=1, le=1024, description="data pins a channel")
    pin_rate_gbps: GigabitsPerSecond = Field(ge=0.001, le=1000, strict=False, description="of each pin")
    dram_clock_hz: Hertz = Field(ge=1_000_000, le=100_000_000_000, description="clock of the DRAM's commands")
    mac_lanes: int = Field(ge=1, le=4096, description="multipliers a bank")
    mac_clock_hz: Hertz = Field(ge=1_000_000, le=100_000_000_000, description="clock of the banks' MAC units")
    mac_tree: str = Field(description="format of products and of sums in the adder tree")
    mac_accumulator: str = Field(description="format of a bank's running sums")
    mac_output: str = Field(description="format in which results cross the pins")
    accumulators: int = Field(ge=1, le=65_536, description="results that a bank holds before they are read")
    buffer_bytes: Bytes = Field(ge=2, le=1 << 24, description="vector buffer a channel")
    refresh: bool = Field(description="whether the DRAM is refreshed")
    batching: Literal["token", "row_reuse"] = Field(
        description="several vectors: one after the other, or as many per opened row as the buffer holds"
    )
    schedule: Literal["paper", "overlap"] = Field(
        description="one instruction at a time, or transfers, writes and the ASIC under running accesses"
    )
    lm_head: Literal["pim", "host"] = Field(description="where the vocabulary projection runs, in runs that include it")
    energy: str = Field(max_length=4096, description="energy table: a shipped name, a YAML file, or `off`")
    energy_table: dict[str, float] = Field(
        default_factory=dict, strict=False, description="coefficients that replace the table's, by name"
    )
    timing: dict[str, float] = Field(strict=False, description="DRAM timing, by the standard's names")
    asic: AsicSpec
    host: HostSpec

    @field_validator("energy", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return OFF if value is False else value  # YAML 1.1 reads a bare `off` as false

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.access_bytes % ELEMENT_BYTES or self.row_bytes % self.access_bytes:
            raise ValueError(
                f"row_bytes {self.row_bytes} must be a multiple of access_bytes {self.access_bytes}, "
                f"and that of {ELEMENT_BYTES}"
            )
        if self.buffer_bytes % self.access_bytes:
            raise ValueError(f"buffer_bytes {self.buffer_bytes} must be a multiple of access_bytes {self.access_bytes}")
        if self.row_bytes % self.buffer_bytes and self.buffer_bytes % self.row_bytes:
            raise ValueError(f"buffer_bytes {self.buffer_bytes} and row_bytes {self.row_bytes} must divide each other")
        if self.banks % self.bank_groups:
            raise ValueError(f"{self.banks} banks do not divide into {self.bank_groups} bank groups")
        if self.banks * ELEMENT_BYTES > self.access_bytes:
            raise ValueError(f"one element a bank ({self.banks} banks) must fit a transfer of {self.access_bytes} B")
        for field, value in (
            ("asic.internal", self.asic.internal),
            ("asic.accumulator", self.asic.accumulator),
            ("mac_tree", self.mac_tree),
            ("mac_accumulator", self.mac_accumulator),
            ("mac_output", self.mac_output),
        ):
            try:
                parse_format(value)
            except FormatError as cause:
                raise ValueError(f"{field}: {cause}") from None
        return self

    @cached_property
    def standard(self) -> Standard:
        """The DRAM of one channel."""
        burst_ns = Fraction(self.access_bytes * 8) / (self.pins * Fraction(str(self.pin_rate_gbps)))
        mac_ns = Fraction(self.mac_unit.cycles(1) * 10**9, self.mac_clock_hz)
        for key in DERIVED_TIMING:
            if key in self.timing:
                raise MachineError(f"timing.{key} follows from pins, pin_rate_gbps, mac_lanes and mac_clock_hz")
        try:
            return load_standard(
                self.dram,
                timing={**self.timing, "tBL_ns": burst_ns, "tMAC_ns": mac_ns},
                clock_hz=self.dram_clock_hz,
                levels={"bankgroup": self.bank_groups, "bank": self.banks // self.bank_groups},
                rows=self.rows,
                columns=self.row_bytes // self.access_bytes,
                column_bytes=self.access_bytes,
                refresh=self.refresh,
            )
        except DramError as cause:
            raise MachineError(str(cause)) from None

    @cached_property
    def energy_costs(self) -> Costs | None:
        """The cost of actions by the energy table, or None if energy is off."""
        if self.energy == OFF:
            if self.energy_table:
                raise MachineError(f"energy_table.{next(iter(self.energy_table))} is set, but energy is off")
            return None
        p = self.standard.params
        ns = 1e9 / self.dram_clock_hz
        device = DramDevice(
            banks=self.banks,
            access_bytes=self.access_bytes,
            row_ns=p["nRAS"] * ns,
            precharge_ns=p["nRP"] * ns,
            refresh_ns=p["nRFC"] * ns,
        )
        return Costs.of(load_table(self.energy, self.energy_table), device)

    @cached_property
    def time_base(self) -> TimeBase:
        return TimeBase.of({"dram": self.dram_clock_hz, "asic": self.asic.clock_hz})

    @cached_property
    def target(self) -> PimTarget:
        """The target that the compiler maps to."""
        return PimTarget(
            machine=self.name,
            channels=self.channels,
            banks=self.banks,
            rows=self.rows,
            columns=self.row_bytes // self.access_bytes,
            lanes=self.access_bytes // ELEMENT_BYTES,
            buffer_elements=self.buffer_bytes // ELEMENT_BYTES,
            sram_bytes=self.asic.sram_bytes,
            score_bytes=self.internal.bytes,
            fmt=BF16,
        )

    @cached_property
    def internal(self) -> Format:
        return parse_format(self.asic.internal)

    @cached_property
    def mac_unit(self) -> MacUnitContract:
        """The contract of a bank's MAC unit."""
        return MacUnitContract.from_preset(
            "published",
            lanes=self.mac_lanes,
            column_elements=self.target.lanes,
            operand=self.target.fmt,
            tree=parse_format(self.mac_tree),
            accumulator=parse_format(self.mac_accumulator),
            output=parse_format(self.mac_output),
        )

    @property
    def transfers_a_result(self) -> int:
        """Transfers that bring one accumulator of every bank to the ASIC."""
        return -(-self.banks * self.mac_unit.output.bytes // self.access_bytes)

    @cached_property
    def vector_unit(self) -> VectorUnitContract:
        """The contract of the ASIC's adders and multipliers."""
        asic = self.asic
        return VectorUnitContract.from_preset(
            "published",
            adders=asic.adders,
            multipliers=asic.multipliers,
            adder_latency=asic.adder_latency,
            multiplier_latency=asic.multiplier_latency,
            taylor_terms=asic.taylor_terms,
            newton_steps=asic.newton_steps,
            rsqrt_steps=asic.rsqrt_steps,
            internal=self.internal,
            accumulator=parse_format(asic.accumulator),
        )

    @cached_property
    def sram(self) -> SramContract:
        return SramContract.from_preset(
            "published", size_bytes=self.asic.sram_bytes, width_bytes=self.asic.sram_width_bytes
        )


def timing_of_standard(name: str = STANDARD) -> dict[str, Any]:
    """The timing parameters that a user may set."""
    return {key: value for key, value in timing_defaults(name).items() if key not in DERIVED_TIMING}
