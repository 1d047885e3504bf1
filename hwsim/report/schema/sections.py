"""The sections that some runs have: token by token, on DRAM that is played by commands, on an FPGA, several devices."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hwsim.fpga.shortage import lacking
from hwsim.report.schema.part import Part


class Latency(Part):
    """Latency of single tokens, by the context that the token saw."""

    context: int
    seconds: float


class DecodingUse(Part):
    """A run that goes token by token. `tokens` of each of `batch` sequences, generated or in prefill of the prompt.

    Attributes
    ----------
    past : tokens whose keys and values lay in the cache when the run began
    lm_head : where the vocabulary projection ran, or `excluded`
    tokens_per_s : generated tokens of all sequences over the time after the prompt; in prefill, those of the prompt
    time_to_first_token_s : from the start to the first generated token; in prefill, to the end of the prompt
    token_latencies : first, middle and last step of the phase
    longest_context : tokens whose cache fits beside the weights; null where nothing bounds them
    """

    phase: Literal["decode", "prefill"]
    tokens: int
    past: int
    prompt: int
    batch: int
    lm_head: str
    tokens_per_s: float
    time_to_first_token_s: float
    token_latencies: list[Latency]
    longest_context: int | None


class DramUse(Part):
    """What the DRAM did. Bytes are those that column accesses moved in the banks; io_bytes crossed the pins.

    Attributes
    ----------
    commands : issues by name, over all channels
    row_hit_rate : share of column accesses whose row was open, each bank of an all-bank command counted
    refresh_cycles : refreshes times how long one takes, over all channels, hidden ones included
    commands_represented, steps_executed : commands over all channels, and the steps in which the player covered them
    trace_cycles : cycles of the memory's own clock, where it stands still while no instruction is played
    refresh_cost_cycles : of these, those that would not be there without refresh
    programs_played, programs_repeated : of programs that came again, how many were played and how many remembered
    """

    standard: str
    bytes_read: int
    bytes_written: int
    io_bytes: int
    commands: dict[str, int]
    row_hit_rate: float
    refreshes: int
    refresh_cycles: int
    commands_represented: int
    steps_executed: int
    trace_cycles: int | None = None
    refresh_cost_cycles: int | None = None
    programs_played: int | None = None
    programs_repeated: int | None = None


class FpgaCells(Part):
    """Cells of an FPGA; block RAMs of 36 Kb count in halves."""

    lut: float = 0
    ff: float = 0
    dsp: float = 0
    bram36: float = 0
    uram: float = 0


class FpgaUnitUse(Part):
    """What equal instances of a block take together; `origin` says whether synthesis counted it."""

    unit: str
    block: str
    count: int
    cells: FpgaCells
    origin: str


class FpgaUse(Part):
    """A machine on an FPGA: what its units take of the part, and what it reaches.

    Attributes
    ----------
    clock_hz : clock that the run counted
    achieved_clock_hz : clock that place and route reached; null where none was made
    used, available : cells of all units, and of the part
    included : units that lie within another unit, and that unit, whose block counts them
    uncounted : units of which no contract says what they take
    fits : whether none of them is short, as units apart; what joins them and routing are not in it
    peak_macs_per_s, achieved_macs_per_s : of all multipliers at that clock, and of the run; null where not counted
    """

    board: str
    part: str
    clock_hz: float
    achieved_clock_hz: float | None
    units: list[FpgaUnitUse]
    used: FpgaCells
    available: FpgaCells
    included: dict[str, str] = Field(default_factory=dict)
    uncounted: list[str] = Field(default_factory=list)
    fits: bool
    peak_macs_per_s: float | None
    achieved_macs_per_s: float | None

    @model_validator(mode="after")
    def _fits_is_computed(self) -> Self:
        short = self.lacking
        if self.fits == bool(short):
            raise ValueError(f"fits is {self.fits}, but {', '.join(short) or 'nothing'} is short")
        return self

    @property
    def lacking(self) -> dict[str, float]:
        """For each kind of cells that does not suffice, how many more the units take."""
        return lacking(dict(self.used), dict(self.available))


class AxiPortUse(Part):
    """An AXI port of an FPGA in one direction.

    Attributes
    ----------
    transactions : of the master, of one beat or a burst
    bytes_per_s : over the whole run
    busy_cycles, utilisation : of its data channel to the memory
    cycles_per_single_beat : where a loop asks for one a cycle and the memory is idle; follows from the round trip, the
        outstanding transactions and the DRAM
    """

    port: str
    direction: Literal["read", "write"]
    transactions: int
    size_bytes: int
    bytes_per_s: float
    busy_cycles: int
    utilisation: float
    cycles_per_single_beat: float


class SwitchUse(Part):
    """Passes over the layers that follow one for another task, or for the same one, and what that cost them.

    Attributes
    ----------
    passes : how many
    cycles : in which they waited for what the pass before had not left ready: weights at their begin, a task's gate
    """

    before: str
    after: str
    passes: int
    cycles: int


class ArrivalUse(Part):
    """Images or frames that arrived one after the other.

    Attributes
    ----------
    per_s : that arrived
    served_per_s : that the machine could serve if they were always there
    idle_cycles : in which it had nothing to do
    late : images or frames that it was not free for when they arrived
    longest_wait_s : of these, from arrival to begin
    unserved_per_s : that cannot be served for good at this rate
    """

    per_s: float
    served_per_s: float
    idle_cycles: int
    late: int
    longest_wait_s: float
    unserved_per_s: float


class PassesUse(Part):
    """Passes over the layers one after the other: images, frames, tasks; `arrivals` unless all are there at once."""

    passes: int
    switches: list[SwitchUse]
    arrivals: ArrivalUse | None


class AttentionUse(Part):
    """Operators of attention with the same keys for each row, on cores that hold a key each; figures are of one head.

    Attributes
    ----------
    operators, heads : operators of the run, and heads of each over all its sequences
    passes, rows : times that rows go through the cores, and rows of all passes together
    cores : that hold a key, by the kind of pattern that they serve; of the pass with most rows
    cycles, interval, depth : of a head; from row to row at best; stages that a row passes
    prologue_cycles : loads of what the passes need before their first rows
    prologue_hidden : whether they come beside rows, the first one of an operator before its time
    loads, most_loads_a_row : rows of K (and of V) that are loaded; at most in the LOAD stage of a row
    pairs, dropped, added : of query and key that are computed; of these, what differs from the model's own pattern
    computing : share of the cores' time in rows that goes into pairs
    moved : how often each element crosses the chip's border, of q, k, v and z; `carry` counts partial rows
    """

    pattern: str
    queries: int
    keys: int
    head_dim: int
    operators: int
    heads: int
    passes: int
    rows: int
    cores: dict[str, int]
    cycles: float
    interval: int
    depth: int
    prologue_cycles: int
    prologue_hidden: bool
    loads: int
    most_loads_a_row: int
    pairs: int
    dropped: int
    added: int
    computing: float
    moved: dict[str, float]


class StageUse(Part):
    """One device of a stage of layers: its own time in the run, of it on the link to others, and its memory."""

    layers: int
    seconds: float
    link_seconds: float
    memory_bytes: int
    capacity_bytes: int


class DevicesUse(Part):
    """How several devices share the model; `simulated` of them were timed, the others do the same as one of these."""

    devices: int
    tensor_parallel: int
    pipeline_parallel: int
    simulated: int
    stages: list[StageUse]
