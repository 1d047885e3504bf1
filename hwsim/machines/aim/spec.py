"""The parameters of GDDR6-AiM as a machine, checked, and what follows from them."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hwsim.devices.spec import DevicesSpec
from hwsim.dram.aim.isa import ACTIVATION_FUNCTIONS, MAX_CHANNELS
from hwsim.dram.aim.load import MOST_ROWS, load_aim
from hwsim.dram.aim.refresh import MOST_POSTPONED, RefreshMode
from hwsim.dram.aim.variants import Variant
from hwsim.dram.device.standard import Standard
from hwsim.energy import OFF, EnergyTable, load_table
from hwsim.energy.coefficients import Coefficients, Powers
from hwsim.engine.clock import TimeBase
from hwsim.errors import DramError, MachineError, nearest
from hwsim.mapping.formats import BF16
from hwsim.mapping.pim.target import BankGeometry
from hwsim.mapping.workload.model import Name
from hwsim.parameters.units import Bytes, Cycles, Hertz

ELEMENT_BYTES = 2  # BF16
FUNCTIONS = ("gelu", "silu", "relu", "leaky_relu", "sigmoid", "tanh")  # that a chip may have


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class HostSpec(_Checked):
    """The host's unit for work that the banks cannot do."""

    clock_hz: Hertz = Field(ge=1_000, le=100_000_000_000, description="clock of the host unit")
    lanes: int = Field(ge=1, le=1_000_000, description="elements a cycle and pass")
    latency_cycles: Cycles = Field(ge=0, le=1_000_000, description="of each piece of work, beside its passes")
    passes: dict[str, Annotated[int, Field(ge=1, le=1_000_000)]] = Field(
        strict=False, description="passes over the elements by kind of work"
    )

    def cycles(self, kind: str, elements: int) -> int:
        """Cycles of a piece of work.

        Raises
        ------
        KeyError : a kind of work that has no passes
        """
        return self.latency_cycles + self.passes[kind] * -(-elements // self.lanes)


class AimSpec(DevicesSpec, _Checked):
    """All parameters of the machine; defaults and their provenance are in spec.yaml."""

    model: Literal["aim"]
    name: Name = Field(description="name of the machine in reports")
    channels: int = Field(ge=1, le=MAX_CHANNELS, description="channels of the memory")
    variant: Variant = Field(description="timing of the vendor's preset, or what the public simulator makes of it")
    rows: int = Field(ge=1, le=MOST_ROWS, description="rows a bank")
    buffer_bytes: Bytes = Field(ge=32, le=2048, multiple_of=32, description="global buffer a channel")
    accumulators: int = Field(ge=1, le=65_536, description="results of a bank between WR_BIAS and RD_MAC")
    refresh: RefreshMode = Field(description="not at all, all banks at once, or bank by bank")
    refresh_postponed: int = Field(
        ge=0, le=MOST_POSTPONED, description="refreshes that wait for a later one, and are done with it"
    )
    af_functions: list[str] = Field(
        max_length=ACTIVATION_FUNCTIONS, description="functions that AF computes, by the value of register 2"
    )
    energy: str = Field(max_length=4096, description="energy table: aim, a YAML file on top of it, or `off`")
    energy_table: dict[str, float] = Field(
        default_factory=dict, strict=False, description="coefficients that replace the table's, by name"
    )
    timing: dict[str, float] = Field(strict=False, description="DRAM timing, by the standard's names")
    host: HostSpec

    @field_validator("energy", "refresh", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return OFF if value is False else value  # YAML 1.1 reads a bare `off` as false

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unknown = next((f for f in self.af_functions if f not in FUNCTIONS), None)
        if unknown:
            raise ValueError(f"af_functions: no function {unknown!r}{nearest(unknown, FUNCTIONS)}")
        twice = next((f for f in self.af_functions if self.af_functions.count(f) > 1), None)
        if twice:
            raise ValueError(f"af_functions: {twice} is given twice")
        return self

    @cached_property
    def standard(self) -> Standard:
        """The DRAM of one channel."""
        try:
            return load_aim(
                self.refresh,
                variant=self.variant,
                timing=self.timing,
                rows=self.rows,
                postponed=self.refresh_postponed,
            )
        except DramError as cause:
            raise MachineError(str(cause)) from None

    @cached_property
    def standard_without_refresh(self) -> Standard:
        return self.standard.without_refresh()

    @cached_property
    def energies(self) -> EnergyTable[Coefficients] | None:
        """The energy table, or None if energy is off."""
        if self.energy == OFF:
            if self.energy_table:
                raise MachineError(f"energy_table.{next(iter(self.energy_table))} is set, but energy is off")
            return None
        table = load_table(self.energy, self.energy_table)
        if not isinstance(table.coefficients, Powers):
            raise MachineError(
                f"energy: AiM's commands are charged by measured powers, and table {table.name} has currents; "
                "expected aim, a YAML file with base: aim, or off"
            )
        return table

    @cached_property
    def time_base(self) -> TimeBase:
        return TimeBase.of({"dram": self.standard.clock_hz, "host": self.host.clock_hz})

    @cached_property
    def target(self) -> BankGeometry:
        """The target that the compiler maps to."""
        standard = self.standard
        return BankGeometry(
            machine=self.name,
            channels=self.channels,
            banks=standard.banks,
            rows=self.rows,
            columns=standard.columns,
            lanes=standard.column_bytes // ELEMENT_BYTES,
            buffer_elements=self.buffer_bytes // ELEMENT_BYTES,
            fmt=BF16,
        )
