"""The fast player as an object: feed it instructions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.aim.isa import ACTIVATION_FUNCTION, ACTIVATION_FUNCTIONS, COLUMNS, MAX_CHANNELS, OPERATIONS
from hwsim.dram.aim.ledger import LOG_MARGIN, counters, new_log
from hwsim.dram.aim.state import Control, Host, map_arrays, new_device
from hwsim.dram.aim.tables import compile_aim
from hwsim.dram.device.standard import Standard
from hwsim.dram.native.function import CompiledFunction
from hwsim.errors import TraceError

Ints = NDArray[np.int64]
PLAY = CompiledFunction("hwsim.dram.aim.kernel", "play")
QUEUE_DEPTH = 32
WAIT = "wait"  # time that barriers waited, listed with the time of commands
_LOG_ROOM = 4 * LOG_MARGIN


@dataclass(frozen=True, kw_only=True)
class ChannelResult:
    """What one channel did.

    Attributes
    ----------
    commands : issues by name
    busy_cycles : cycles in which it held a request, from its arrival until its data is complete
    open_cycles : cycles in which a row was open
    cycles_by_command : time by the command to which it is charged, waits of barriers as `WAIT`; all of it adds up. The
        time before a command is charged to that command, except after an activate, precharge, refresh or mode switch,
        to which it is charged instead.
    """

    commands: dict[str, int]
    busy_cycles: int
    open_cycles: int
    cycles_by_command: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class CommandRun:
    """`count` issues of a command, `spacing` cycles apart, through columns from `column` on, on several channels.

    `bank`, `row` and `column` are -1 where the command has none.
    """

    channels: tuple[int, ...]
    cycle: int
    command: str
    bank: int
    row: int
    column: int
    count: int
    spacing: int


class AimPlayer:
    """Host and channels. State is kept from one `play` to the next.

    Parameters
    ----------
    channels : 1 to 32; bit i of a channel mask selects channel `channels - 1 - i`
    queue_depth : requests of a kind that a channel holds
    on_commands : called with every run of commands, in order for each channel
    """

    def __init__(
        self,
        standard: Standard,
        channels: int = MAX_CHANNELS,
        *,
        queue_depth: int = QUEUE_DEPTH,
        on_commands: Callable[[CommandRun], None] | None = None,
    ) -> None:
        if not 1 <= channels <= MAX_CHANNELS:
            raise TraceError(f"channels must be 1 to {MAX_CHANNELS}, got {channels}")
        self.standard = standard
        self.channels = channels
        self.instructions = 0
        self._names = list(standard.commands)
        self._on_commands = on_commands
        self._tables = compile_aim(standard, queue_depth)
        self._state, self._host = new_device(self._tables, channels)
        self._log = new_log(_LOG_ROOM if on_commands else 0)

    def play(self, program: Ints) -> None:
        """Play encoded instructions (`isa.encode`) after those already played.

        Raises
        ------
        TraceError : an operation or address that the channels do not have
        """
        self._check(program)
        self.feed(program)

    def feed(self, program: Ints) -> None:
        """`play` for instructions that a parser has checked."""
        at = 0
        while at < len(program):
            before = (map_arrays(np.copy, self._state), self._host.copy()) if self._on_commands else None
            played = PLAY(self._state, self._tables, self._host, self._log, program, at)
            room = len(self._log.entries)
            if before and self._log.written[0] > room:  # one instruction had more commands than fit
                self._state, self._host = before
                self._log = new_log(2 * room)
                continue
            at = played
            self._flush()
        self.instructions += len(program)

    @property
    def cycle(self) -> int:
        """The cycle in which the last instruction was done; after EOC or SYNC, everything before it."""
        return int(self._host[Host.CLOCK]) - 1

    @property
    def classes(self) -> int:
        """Groups of channels that were played separately."""
        return int(self._host[Host.CLASSES])

    def results(self) -> list[ChannelResult]:
        """What each channel did so far; exact after EOC or SYNC."""
        found: dict[int, ChannelResult] = {}
        counts = counters(self._state.ledger, self.cycle)
        for mask, counted in zip(self._state.control[: self.classes, Control.MEMBERS].tolist(), counts):
            found |= dict.fromkeys(members_of(mask, self.channels), channel_result(counted, self._names))
        return [found[channel] for channel in range(self.channels)]

    def _flush(self) -> None:
        if self._on_commands is None:
            return
        for entry in self._log.entries[: self._log.written[0]].tolist():
            members, cycle, command, bank, row, column, count, spacing = entry
            self._on_commands(
                CommandRun(
                    channels=members_of(members, self.channels),
                    cycle=cycle,
                    command=self._names[command],
                    bank=bank,
                    row=row,
                    column=column,
                    count=count,
                    spacing=spacing,
                )
            )
        self._log.written[0] = 0

    def _check(self, program: Ints) -> None:
        """The checks that the parser makes in a file, for programs that come from memory."""
        most = {
            "mask": (1, (1 << self.channels) - 1),
            "bank": (0, self.standard.banks - 1),
            "row": (0, self.standard.rows - 1),
        }
        operations = list(OPERATIONS.values())
        for code in np.unique(program[:, 0]).tolist():
            if not 0 <= code < len(operations):
                raise TraceError(f"no operation has the number {code}")
            operation = operations[code]
            chosen = program[program[:, 0] == code]
            limits = {field: most[field] for field in operation.fields if field in most}
            if operation.command:
                limits["opsize"] = (1, self.standard.columns if "opsize" in operation.fields else 1)
            if operation.name == "WR_CFR":
                chosen = chosen[chosen[:, COLUMNS.index("bank")] == ACTIVATION_FUNCTION]
                limits["row"] = (0, ACTIVATION_FUNCTIONS - 1)
            for field, (low, high) in limits.items():
                values = chosen[:, COLUMNS.index(field)]
                wrong = values[(values < low) | (values > high)]
                if len(wrong):
                    found = f"{operation.name}: {field} {wrong[0]} is out of range"
                    raise TraceError(f"{found}, expected {low} to {high}")


def members_of(mask: int, channels: int) -> tuple[int, ...]:
    """The channels that a mask selects."""
    return tuple(c for c in range(channels) if mask >> (channels - 1 - c) & 1)


def channel_result(counters: Ints, names: list[str]) -> ChannelResult:
    """A channel's counters (`ledger.counters`) under their names."""
    busy, open_cycles, *rest = counters.tolist()
    issues, gaps = rest[: len(names)], rest[len(names) :]
    return ChannelResult(
        commands={name: n for name, n in zip(names, issues, strict=True) if n},
        busy_cycles=busy,
        open_cycles=open_cycles,
        cycles_by_command={name: n for name, n in zip([*names, WAIT], gaps, strict=True) if n},
    )
