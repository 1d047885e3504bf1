"""The fast player as an object: a package of channels that play their programs in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hwsim.dram.device.log import LoggedCommand, PlayLog
from hwsim.dram.device.standard import Standard, refuse_ranks, refuse_turns
from hwsim.dram.device.tables import Ints
from hwsim.dram.in_order.arguments import plain
from hwsim.dram.in_order.channels import new_channels
from hwsim.dram.in_order.ledger import Count, Entry, Run, new_ledger
from hwsim.dram.in_order.play import play_package
from hwsim.dram.in_order.program import Field, Request, decode, encode
from hwsim.dram.in_order.rules import Rules, compile_rules
from hwsim.errors import DramError


@dataclass(frozen=True, kw_only=True, eq=False)
class PackageProgram:
    """One program for each channel of a package; equal programs are held once.

    Attributes
    ----------
    requests : (n, len(Field)) all distinct programs one after the other
    offsets : (programs + 1,) where each begins
    program_of : (channels,) which program a channel plays
    """

    requests: Ints
    offsets: Ints
    program_of: Ints

    @classmethod
    def of(cls, per_channel: Sequence[Ints]) -> PackageProgram:
        """Gather encoded programs, one a channel."""
        distinct: dict[bytes, int] = {}
        parts: list[Ints] = []
        program_of = []
        for encoded in per_channel:
            key = encoded.tobytes()
            if key not in distinct:
                distinct[key] = len(parts)
                parts.append(encoded)
            program_of.append(distinct[key])
        offsets = np.cumsum([0] + [len(part) for part in parts])
        return cls(
            requests=np.concatenate(parts).reshape(-1, len(Field)),
            offsets=offsets.astype(np.int64),
            program_of=np.array(program_of, dtype=np.int64),
        )

    def channel(self, index: int) -> Ints:
        """The encoded program of one channel."""
        program = self.program_of[index]
        return self.requests[self.offsets[program] : self.offsets[program + 1]]

    @cached_property
    def _issues(self) -> Ints:
        """Accesses and transfers of each request."""
        return self.requests[:, Field.COUNT] * self.requests[:, Field.REPEAT]

    @cached_property
    def _issues_by_command(self) -> dict[int, Ints]:
        return {}

    def issues(self, command: int) -> Ints:
        """(channels,) how often each channel's program issues a command, by its number in the standard."""
        known = self._issues_by_command
        if command not in known:
            issues = np.where(self.requests[:, Field.COMMAND] == command, self._issues, 0)
            sums = np.concatenate([[0], np.cumsum(issues)])
            known[command] = (sums[self.offsets[1:]] - sums[self.offsets[:-1]])[self.program_of]
        return known[command]

    @cached_property
    def commands(self) -> int:
        """Accesses and transfers over all channels, without what the controller adds."""
        each = np.array(
            [int(self._issues[a:b].sum()) for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]
        )
        return int(each[self.program_of].sum())


class OpenCycles(NamedTuple):
    """Cycles in which a channel had at least one row open, and cycles times rows open."""

    channels: int
    banks: int


class Package:
    """Channels of one standard, each with an in-order controller; equal to `ReferenceChannel` cycle for cycle.

    Parameters
    ----------
    first_refresh : cycle in which the first refresh falls due; by default one interval after 0
    record : keep the log of every channel (for tests and small runs: memory grows with each command)
    """

    _tracked = 0  # commands whose last issues the player looks up itself

    def __init__(
        self, standard: Standard, channels: int, *, first_refresh: int | None = None, record: bool = False
    ) -> None:
        if channels < 1:
            raise DramError(f"a package needs at least one channel, got {channels}")
        refuse_ranks(standard, "the in-order controller")
        refuse_turns(standard, "the in-order controller")
        self.standard = standard
        self._names = list(standard.commands)
        self._rules = self._compile()
        self._state = new_channels(self._rules, channels, first_refresh, tracked=self._tracked)
        self._ledger = new_ledger(len(self._names), room=0)
        self._player = plain((self._state, self._rules, self._ledger))
        self._observer: Callable[[PlayLog], object] | None = None
        self.logs: list[list[LoggedCommand]] = [[] for _ in range(channels)]
        if record:
            self.observe(self._keep)

    def _compile(self) -> Rules:
        return compile_rules(self.standard)

    @property
    def channels(self) -> int:
        return int(self._state.class_of.size)

    def observe(self, observer: Callable[[PlayLog], object] | None) -> None:
        """Pass the log of each play from now on to `observer`; None ends this, and playing is as fast as before."""
        self._observer = observer
        if observer is None:
            self._make_room(0)

    def play(self, program: PackageProgram, start: int, *, row_base: int = 0, causes: Ints | None = None) -> int:
        """Play a program on all channels from cycle `start`; return the cycle in which the last one completes.

        Parameters
        ----------
        row_base : added to every row of the program
        causes : (len(Cause),) to which the cycles of the slowest channel are added, by cause
        """
        return self._observed(lambda: self._run(program, row_base, start), start, causes)

    def _run(self, program: PackageProgram, row_base: int, start: int) -> int:
        programs = program.requests, program.offsets, program.program_of
        return play_package(self._player, *programs, row_base, start)  # type: ignore[no-any-return]

    @property
    def counts(self) -> dict[str, int]:
        """Commands represented so far over all channels, by name."""
        return {name: int(n) for name, n in zip(self._names, self._ledger.issues, strict=True) if n}

    @property
    def column_accesses(self) -> int:
        """Column accesses so far, each bank of an all-bank command counted."""
        return int(self._ledger.counts[Count.ACCESSES])

    @property
    def row_hits(self) -> int:
        """Column accesses whose row was already open."""
        return int(self._ledger.counts[Count.HITS])

    @property
    def steps(self) -> int:
        """Steps that the kernel executed: runs in an open row, activates, precharges, refreshes, once per class."""
        return int(self._ledger.counts[Count.STEPS])

    def open_cycles(self, until: int) -> OpenCycles:
        """How long rows were open up to cycle `until`, summed over the channels.

        A row is open from the issue of its activate to the issue of the command that closes it: a precharge (also
        before a refresh) or an access with auto-precharge. Time between programs counts. A refresh that fell due in a
        channel's idle time is not counted until the channel plays again.

        Raises
        ------
        ValueError : a command was issued after `until`
        """
        of, banks = self._state.class_of, self._state.banks
        if until < banks.last_issue[of].max():
            raise ValueError(f"commands were issued after cycle {until}")
        open_banks = banks.open_banks[of]
        counts = self._ledger.counts
        return OpenCycles(
            channels=int(counts[Count.OPEN_CHANNEL]) + until * int((open_banks > 0).sum()),
            banks=int(counts[Count.OPEN_BANKS]) + until * int(open_banks.sum()),
        )

    def _observed(self, run: Callable[[], int], start: int, causes: Ints | None) -> int:
        """Run, with a log if there is an observer, and add the cycles of the slowest channel to `causes`."""
        if self._observer is None:
            finish = run()
        else:
            log = self._logged(run, start)
            self._observer(log)
            finish = log.finish
        if causes is not None:
            causes += self._ledger.slowest
        return finish

    def _logged(self, run: Callable[[], int], start: int) -> PlayLog:
        """Run with a log; if there is no room for it, start again from the same state with more room."""
        state = self._state
        changed = (state.class_of, *state.banks, state.due, state.data_issues, self._ledger.issues, self._ledger.counts)
        before = [array.copy() for array in changed]
        while True:
            page = self._ledger.page
            page.logged[:] = 0
            finish = run()
            entries = int(page.logged[0])
            if entries <= len(page.log):
                break
            self._make_room(2 * entries)
            for array, saved in zip(changed, before, strict=True):
                array[:] = saved
        return PlayLog(start=start, finish=finish, entries=page.log[:entries].copy(), class_of=state.class_of.copy())

    def _make_room(self, entries: int) -> None:
        log = np.zeros((entries, len(Entry)), dtype=np.int64)
        self._ledger = self._ledger._replace(page=self._ledger.page._replace(log=log))
        self._player = plain((self._state, self._rules, self._ledger))

    def _keep(self, log: PlayLog) -> None:
        """Append a play to the channels' logs."""
        for entry in log.entries.tolist():
            expanded = self._expand(entry)
            for channel in np.flatnonzero(log.class_of == entry[Entry.CLASS]):
                self.logs[channel].extend(expanded)

    def _expand(self, entry: list[int]) -> list[LoggedCommand]:
        _, cycle, *run = entry
        return _commands_of(Run(*run), cycle, self._names)


def _commands_of(run: Run, cycle: int, names: Sequence[str]) -> list[LoggedCommand]:
    """The single commands of a run whose first issue is in `cycle`."""
    return [
        LoggedCommand(
            cycle=cycle + i * run.spacing,
            command=names[run.command],
            bank=run.bank,
            row=run.row,
            column=run.column + (run.position + i) % run.columns if run.column >= 0 else -1,
        )
        for i in range(run.issues)
    ]


class FastChannel:
    """One channel of the fast player with the interface of `ChannelController`."""

    def __init__(self, standard: Standard, *, first_refresh: int | None = None, record: bool = False) -> None:
        self.package = Package(standard, 1, first_refresh=first_refresh, record=record)

    def play(self, requests: Sequence[Request], start: int) -> int:
        return self.package.play(PackageProgram.of([encode(requests, self.package.standard)]), start)

    @property
    def counts(self) -> dict[str, int]:
        return self.package.counts

    @property
    def log(self) -> list[LoggedCommand]:
        return self.package.logs[0]


def channel_requests(program: PackageProgram, channel: int, standard: Standard) -> list[Request]:
    """The program of one channel as requests, for the reference player."""
    return decode(program.channel(channel), standard)
