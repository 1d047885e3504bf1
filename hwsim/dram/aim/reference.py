"""The slow, obvious player: host and channels cycle by cycle, every constraint looked up for every command.

The rules are those of docs/aim-trace.md, in the same order. Cycle 1 is the first; a request that the host sends in a
cycle can have its first command in the same cycle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from hwsim.dram.aim.isa import ACTIVATION_FUNCTION, OPERATIONS, Instruction, Operation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Command, Standard


@dataclass(kw_only=True)
class _Request:
    operation: Operation
    bank: int
    row: int
    column: int
    arrival: int = 0
    done: int = 0
    begun: bool = False  # a command was issued for it

    @property
    def reads(self) -> bool:
        """Whether it is answered, in the order of the channel's reads, and does not merely finish."""
        return self.operation.blocking or self.operation.command == "RD"


class ReferenceAim:
    """Host and channels; the oracle of the fast player.

    Attributes
    ----------
    cycle : the cycle in which the last instruction was done
    """

    def __init__(self, standard: Standard, channels: int, *, queue_depth: int = 32) -> None:
        self.standard = standard
        self.cycle = 0
        self.channels = [ReferenceChannel(standard, queue_depth) for _ in range(channels)]
        self._function = 0  # configuration register 2
        self._unsent: list[deque[_Request]] = [deque() for _ in range(channels)]

    def play(self, instructions: Iterable[Instruction]) -> None:
        for instruction in instructions:
            self._tick(partial(self._decode, instruction))
            while any(self._unsent) or (
                OPERATIONS[instruction.operation].blocking and any(channel.unanswered for channel in self.channels)
            ):
                self._tick(lambda: None)

    def _tick(self, decode: Callable[[], None]) -> None:
        self.cycle += 1
        decode()
        for channel, waiting in zip(self.channels, self._unsent, strict=True):
            while waiting and channel.accepts(waiting[0]):
                channel.enter(waiting.popleft(), self.cycle)
        for channel in self.channels:
            channel.tick(self.cycle)

    def _decode(self, instruction: Instruction) -> None:
        operation = OPERATIONS[instruction.operation]
        if operation.name == "WR_CFR" and instruction.bank == ACTIVATION_FUNCTION:
            self._function = instruction.row
        if operation.command is None and not operation.barrier:
            return
        row = instruction.row
        if operation.name == "AF":
            row = self.standard.rows + self._function
        for channel, waiting in enumerate(self._unsent):
            selected = instruction.mask >> (len(self.channels) - 1 - channel) & 1
            if operation.barrier or selected:
                for column in range(instruction.opsize):
                    waiting.append(_Request(operation=operation, bank=instruction.bank, row=row, column=column))
                    self.channels[channel].unanswered += operation.blocking


class ReferenceChannel:
    """One channel: buffers, scheduler and bank state."""

    def __init__(self, standard: Standard, queue_depth: int) -> None:
        self.standard = standard
        self.queue_depth = queue_depth
        self.log: list[LoggedCommand] = []
        self.unanswered = 0
        self.busy_cycles = 0
        self.open_cycles = 0
        self._aim: deque[_Request] = deque()
        self._reads: list[_Request] = []
        self._writes: list[_Request] = []
        self._opened: list[_Request] = []  # ordinary requests whose row was opened for them
        self._answers: deque[_Request] = deque()
        self._finishing: list[int] = []  # when writes and computations end
        self._last_end = 0
        self._register_mode = False
        self._refreshes = 0
        self._write_first = False
        self._open = [-1] * standard.banks
        self._issued: dict[tuple[str, str, int], int] = {}

    def accepts(self, request: _Request) -> bool:
        """Ordinary and AiM requests are never in a channel together; the later kind waits for the earlier to leave."""
        if not request.operation.ordinary:
            return not (self._reads or self._writes or self._opened) and len(self._aim) < self.queue_depth
        return not self._aim and len(self._buffer(request)) < self.queue_depth

    def enter(self, request: _Request, cycle: int) -> None:
        request.arrival = cycle
        self._buffer(request).append(request)

    def tick(self, cycle: int) -> None:
        self._answer(cycle)
        waiting = [*self._aim, *self._reads, *self._writes, *self._opened]
        self.busy_cycles += cycle < self._last_end or any(not r.operation.barrier for r in waiting)
        if self._aim and self._aim[0].operation.barrier:
            barrier = self._aim.popleft()
            barrier.done = cycle
            self._answers.append(barrier)
        if self._refresh_is_due(cycle) and not self._opened and not any(request.begun for request in self._aim):
            self._refresh(cycle)
            if not waiting:
                self._turn()
        elif self._aim or not any(r.operation.barrier for r in waiting):
            request = self._choose(cycle)
            if request is not None:
                self._advance(request, cycle)
        self.open_cycles += any(row >= 0 for row in self._open)

    def _buffer(self, request: _Request) -> deque[_Request] | list[_Request]:
        if not request.operation.ordinary:
            return self._aim
        return self._reads if request.operation.command == "RD" else self._writes

    def _answer(self, cycle: int) -> None:
        """One answer a cycle, in order; a barrier's answer waits until the cycle after the last write ended."""
        if self._answers and self._answers[0].done <= cycle:
            first = self._answers[0].operation
            if not (first.barrier and self._finishing):
                self._answers.popleft()
                self.unanswered -= first.blocking
        self._finishing = [end for end in self._finishing if end > cycle]

    def _refresh_is_due(self, cycle: int) -> bool:
        rule = self.standard.refresh
        return rule is not None and cycle >= rule.due(self._refreshes)

    def _refresh(self, cycle: int) -> None:
        """The next command of the refresh that is due; no request's command comes before it."""
        rule = self.standard.refresh
        assert rule is not None
        bank, closed = -1, all(row < 0 for row in self._open)
        if rule.turns > 1:
            banks = [k % rule.turns for k in range(self._refreshes, rule.end_of_group(self._refreshes))]
            still_open = [bank for bank in banks if self._open[bank] >= 0]
            bank, closed = [*still_open, *banks][0], not still_open
        command = self.standard.commands[rule.command if closed else rule.precharge]
        if not self._allowed(command, bank, cycle):
            return
        if self._register_mode:
            command = self.standard.commands["TMOD"]
            self._register_mode = False
        self._issue(command, bank, -1, -1, cycle)
        self._refreshes += command.name == rule.command

    def _choose(self, cycle: int) -> _Request | None:
        """The request whose next command is issued in this cycle."""
        if self._aim:
            return self._aim[0] if self._ready(self._aim[0], cycle) else None
        opened = self._first_ready(self._opened, cycle)
        if opened is not None and self._ready(opened, cycle):
            return opened
        if self._refresh_is_due(cycle):
            return None  # it only waits for requests whose row is open
        self._turn()
        best = self._first_ready(self._writes if self._write_first else self._reads, cycle)
        if best is None or not self._ready(best, cycle):
            return None
        closes = self._needed(best).kind == "precharge"
        return None if closes and any(r.bank == best.bank for r in self._opened) else best

    def _first_ready(self, requests: list[_Request], cycle: int) -> _Request | None:
        return min(requests, key=lambda r: (not self._ready(r, cycle), r.arrival), default=None)

    def _turn(self) -> None:
        """Switch to writes above 80 % of their buffer or when no read waits, and back to reads below 20 %."""
        if self._write_first:
            self._write_first = not (10 * len(self._writes) < 2 * self.queue_depth and self._reads)
        else:
            self._write_first = 10 * len(self._writes) > 8 * self.queue_depth or not self._reads

    def _advance(self, request: _Request, cycle: int) -> None:
        command = self._needed(request)
        if request.operation.register_mode != self._register_mode:
            command = self.standard.commands["TMOD"]  # in place of the command that could have been issued now
            self._register_mode = not self._register_mode
        self._issue(command, request.bank, request.row, request.column, cycle)
        request.begun = not request.operation.ordinary
        buffer = self._opened if request in self._opened else self._buffer(request)
        if command.name == request.operation.command:
            buffer.remove(request)
            request.done = cycle + command.duration
            self._last_end = max(self._last_end, request.done)
            if request.reads:
                self._answers.append(request)
            else:
                self._finishing.append(request.done)
        elif request.operation.ordinary and command.kind == "activate":
            buffer.remove(request)
            self._opened.append(request)

    def _needed(self, request: _Request) -> Command:
        assert request.operation.command is not None
        command = self.standard.commands[request.operation.command]
        if command.kind != "column":
            return command
        rows = {self._open[bank] for bank in self._banks(command, request.bank)}
        if rows == {request.row}:
            return command
        name = command.precharge if rows - {-1, request.row} else command.activate
        assert name is not None, "every column command names its activate and precharge"
        return self.standard.commands[name]

    def _ready(self, request: _Request, cycle: int) -> bool:
        return self._allowed(self._needed(request), request.bank, cycle)

    def _allowed(self, command: Command, bank: int, cycle: int) -> bool:
        """Whether every constraint allows a command in a cycle."""
        for constraint in self.standard.constraints:
            if constraint.following == command.name and self.standard.shares_node(constraint):
                node = self.standard.node(constraint.level, max(bank, 0))
                issued = self._issued.get((constraint.level, constraint.preceding, node))
                if issued is not None and cycle < issued + constraint.latency:
                    return False
        return True

    def _issue(self, command: Command, bank: int, row: int, column: int, cycle: int) -> None:
        banks = self._banks(command, bank)
        bank = -1 if len(banks) == self.standard.banks else bank
        self.log.append(
            LoggedCommand(
                cycle=cycle,
                command=command.name,
                bank=bank,
                row=row if command.kind in ("activate", "column") else -1,
                column=column if command.kind == "column" else -1,
            )
        )
        for level in self.standard.level_names:
            self._issued[level, command.name, self.standard.node(level, max(bank, 0))] = cycle
        for covered in banks:
            if command.kind == "activate":
                self._open[covered] = row
            elif command.kind == "precharge" or command.auto_precharge:
                self._open[covered] = -1

    def _banks(self, command: Command, bank: int) -> range:
        block = self.standard.banks_below(command.scope)
        first = max(bank, 0) // block * block
        return range(first, first + block)
