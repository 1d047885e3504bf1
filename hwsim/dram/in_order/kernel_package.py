"""The package on the kernel that overlapped programs are still played with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.log import LoggedCommand, PlayLog
from hwsim.dram.device.standard import Standard, refuse_ranks, refuse_turns
from hwsim.dram.in_order import kernel
from hwsim.dram.in_order.package import OpenCycles, Package, PackageProgram
from hwsim.errors import DramError

Ints = NDArray[np.int64]


class KernelPackage(Package):
    """Channels of one standard, each with an in-order controller; equal to `ReferenceChannel` cycle for cycle.

    Parameters
    ----------
    first_refresh : cycle in which the first refresh falls due; by default one interval after 0
    record : keep the log of every channel (for tests and small runs: memory grows with each command)
    """

    def __init__(
        self, standard: Standard, channels: int, *, first_refresh: int | None = None, record: bool = False
    ) -> None:
        if channels < 1:
            raise DramError(f"a package needs at least one channel, got {channels}")
        refuse_ranks(standard, "the in-order controller")
        refuse_turns(standard, "the in-order controller")
        self.standard = standard
        self._names = list(standard.commands)
        self._tables = kernel.compile_tables(standard)
        self._states = kernel.new_states(standard, self._tables, channels, first_refresh)
        self._class_of = np.zeros(channels, dtype=np.int64)
        self._tally = np.zeros(len(self._names) + len(kernel.STATISTICS), dtype=np.int64)
        self._observer: Callable[[PlayLog], object] | None = None
        self._log_buffer = np.zeros((1, kernel.LOG_FIELDS), dtype=np.int64)
        self.logs: list[list[LoggedCommand]] = [[] for _ in range(channels)]
        if record:
            self.observe(self._keep)

    @property
    def channels(self) -> int:
        return int(self._class_of.size)

    def observe(self, observer: Callable[[PlayLog], object] | None) -> None:
        """Pass the log of each play from now on to `observer`; None ends this, and playing is as fast as before."""
        self._observer = observer

    def play(self, program: PackageProgram, start: int, *, row_base: int = 0, causes: Ints | None = None) -> int:
        """Play a program on all channels from cycle `start`; return the cycle in which the last one completes.

        Parameters
        ----------
        row_base : added to every row of the program
        causes : (len(kernel.CAUSES),) to which the cycles of the slowest channel are added, by cause
        """
        sums = np.zeros(len(kernel.CAUSES), dtype=np.int64) if causes is None else causes
        return self._observed(lambda: self._run(program, start, row_base, sums), start, sums)

    @property
    def counts(self) -> dict[str, int]:
        """Commands represented so far over all channels, by name."""
        return {name: int(n) for name, n in zip(self._names, self._tally, strict=False) if n}

    @property
    def column_accesses(self) -> int:
        """Column accesses so far, each bank of an all-bank command counted."""
        return self._statistic(kernel.ACCESSES)

    @property
    def row_hits(self) -> int:
        """Column accesses whose row was already open."""
        return self._statistic(kernel.HITS)

    @property
    def steps(self) -> int:
        """Steps that the kernel executed: runs in an open row, activates, precharges, refreshes, once per class."""
        return self._statistic(kernel.STEPS)

    def open_cycles(self, until: int) -> OpenCycles:
        """How long rows were open up to cycle `until`, summed over the channels.

        A row is open from the issue of its activate to the issue of the command that closes it: a precharge (also
        before a refresh) or an access with auto-precharge. Time between programs counts. A refresh that fell due in a
        channel's idle time is not counted until the channel plays again.

        Raises
        ------
        ValueError : a command was issued after `until`
        """
        states = self._states[self._class_of]
        if until < states[:, kernel.LAST_ISSUE].max():
            raise ValueError(f"commands were issued after cycle {until}")
        open_banks = states[:, kernel.OPEN_BANKS]
        return OpenCycles(
            channels=self._statistic(kernel.OPEN_CHANNEL) + until * int((open_banks > 0).sum()),
            banks=self._statistic(kernel.OPEN_BANK) + until * int(open_banks.sum()),
        )

    def _statistic(self, number: int) -> int:
        return int(self._tally[len(self._names) + number])

    def _run(  # type: ignore[override]
        self, program: PackageProgram, start: int, row_base: int, causes: Ints
    ) -> int:
        return int(
            kernel.play_package(
                self._states,
                self._class_of,
                self._tables,
                program.requests,
                program.offsets,
                program.program_of,
                row_base,
                start,
                self._tally,
                causes,
                self._log_buffer,
                self._observer is not None,
            )
        )

    def _observed(  # type: ignore[override]
        self, run: Callable[[], int], start: int, causes: Ints
    ) -> int:
        """Run, with a log if there is an observer; if the log's buffer is too small, start again with a larger one."""
        if self._observer is None:
            return run()
        changed = (self._states, self._class_of, self._tally, causes)
        before = [array.copy() for array in changed]
        while True:
            self._log_buffer[0, 0] = 0
            finish = run()
            needed = int(self._log_buffer[0, 0]) + 1
            if needed <= len(self._log_buffer):
                break
            self._log_buffer = np.zeros((2 * needed, kernel.LOG_FIELDS), dtype=np.int64)
            for array, saved in zip(changed, before, strict=True):
                array[:] = saved
        entries = self._log_buffer[1:needed].copy()
        self._observer(PlayLog(start=start, finish=finish, entries=entries, class_of=self._class_of.copy()))
        return finish

    def _keep(self, log: PlayLog) -> None:
        """Append a play to the channels' logs."""
        for entry in log.entries.tolist():
            expanded = self._expand(entry)
            for channel in np.flatnonzero(log.class_of == entry[0]):
                self.logs[channel].extend(expanded)

    def _expand(self, entry: list[int]) -> list[LoggedCommand]:
        _, cycle, command, bank, row, column, columns, position, count, spacing = entry
        return [
            LoggedCommand(
                cycle=cycle + i * spacing,
                command=self._names[command],
                bank=bank,
                row=row,
                column=column + (position + i) % columns if column >= 0 else -1,
            )
            for i in range(count)
        ]
