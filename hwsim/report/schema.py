"""The report: what a run says about itself, in a form that is versioned and stable."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = "1.1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KindShare(_Part):
    """Cycles of one operator kind; the shares of all kinds add up to 1 where units take turns."""

    kind: str
    cycles: int
    share: float


class UnitUse(_Part):
    """Busy cycles of a unit; `source` says where its timing comes from, `proven` whether RTL confirms it."""

    name: str
    busy_cycles: int
    utilisation: float
    source: str
    proven: bool


class DramUse(_Part):
    """What the DRAM did. Bytes are those that column accesses moved in the banks; io_bytes crossed the pins."""

    bytes_read: int
    bytes_written: int
    io_bytes: int
    commands: dict[str, int]
    row_hit_rate: float
    refreshes: int
    refresh_cycles: int
    commands_represented: int
    steps_executed: int


class EnergyShare(_Part):
    """Energy of one component; `source` says how it comes about, `grade` is that of its least certain coefficient."""

    component: str
    joules: float
    share: float
    source: str
    grade: str


class EnergyCoefficient(_Part):
    """A coefficient of the energy table in use; its name ends in its unit."""

    name: str
    value: float
    grade: str
    confidence: float | None
    source: str


class EnergyUse(_Part):
    """Energy of memory package and ASIC, without the host; the components add up to `joules`.

    `joules_per_token` counts every token that passed the layers, those of a prompt too; `joules_per_mac` every
    multiply-accumulate of the MAC units, padding included.
    """

    table: str
    joules: float
    joules_per_token: float
    mean_power_w: float
    joules_per_mac: float | None
    components: list[EnergyShare]
    coefficients: list[EnergyCoefficient]


class Bound(_Part):
    """Lower bound of the latency and where the distance to it lies; `lower_bound` and `distance` sum to latency."""

    lower_bound_s: float
    ratio: float
    distance: list[dict[str, Any]]


class Latency(_Part):
    """Latency of single tokens, by the context that the token saw."""

    context: int
    seconds: float


class Excluded(_Part):
    """Work that the run left out, and what including it would cost a token."""

    name: str
    seconds_per_token: float
    share: float
    note: str


class Published(_Part):
    """A published figure beside ours; `ours` is null where the two cannot be compared, and `note` says why.

    `ratio` is ours over theirs where theirs is one number; `unit` is that of `ours` (`%` for a share of 1).
    """

    name: str
    theirs: str
    ours: float | None
    ratio: float | None
    unit: str = ""
    grade: str
    note: str


class UnconfirmedParameter(_Part):
    """A parameter in use whose value is remembered (M) or assumed (A)."""

    name: str
    value: Any
    grade: str
    confidence: float | None
    source: str


class StageUse(_Part):
    """One device of a stage of layers: its own time in the run, of it on the link to others, and its memory."""

    layers: int
    seconds: float
    link_seconds: float
    memory_bytes: int
    capacity_bytes: int


class DevicesUse(_Part):
    """How several devices share the model; `simulated` of them were timed, the others do the same as one of these."""

    devices: int
    tensor_parallel: int
    pipeline_parallel: int
    simulated: int
    stages: list[StageUse]


class Report(_Part):
    """Result of a run. `cycles` counts `clock_hz`; times are in seconds; `energy_j` is null where energy is off."""

    schema_version: str = SCHEMA_VERSION
    hwsim_version: str
    machine: str
    workload: str
    phase: str
    tokens: int
    past: int
    prompt: int
    batch: int
    lm_head: str
    schedule: str
    cycles: int
    clock_hz: float
    latency_s: float
    tokens_per_s: float
    time_to_first_token_s: float
    token_latencies: list[Latency]
    energy_j: float | None
    energy: EnergyUse | None = None
    breakdown: list[KindShare]
    units: list[UnitUse]
    bottleneck: str
    bound: Bound
    dram: DramUse
    offchip_bytes: int
    offchip: dict[str, int]
    resources: dict[str, Any]
    fits: bool
    excluded: list[Excluded]
    published: list[Published]
    unconfirmed: list[UnconfirmedParameter]
    parameters: dict[str, Any]
    workload_parameters: dict[str, Any]
    seed: int | None
    instructions: int
    devices: DevicesUse | None = None

    def to_json(self) -> str:
        """The report as text; the same run gives the same bytes."""
        return self.model_dump_json(indent=2) + "\n"
