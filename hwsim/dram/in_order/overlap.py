"""The fast player of overlapped programs as an object."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order import kernel
from hwsim.dram.in_order.dataflow import StreamCommands
from hwsim.dram.in_order.kernel_package import KernelPackage
from hwsim.dram.in_order.overlap_kernel import compile_overlap_tables, play_overlapped
from hwsim.dram.in_order.package import PackageProgram

Ints = NDArray[np.int64]


class Played(NamedTuple):
    """The result of playing a program.

    Attributes
    ----------
    finish : cycle in which the last channel's last command completes
    behind : first cycle after every issue: from here on the package can take its next program
    drains : (channels, drains) when each drain of a channel completes; undefined beyond the number of its drains
    """

    finish: int
    behind: int
    drains: Ints


class OverlappedPackage(KernelPackage):
    """Channels whose fills, accesses and drains overlap; equal to `OverlapReferenceChannel` cycle for cycle.

    Parameters
    ----------
    standard : must mark the waits that hold per buffer column
    accumulators : results that a bank holds
    """

    def __init__(
        self,
        standard: Standard,
        channels: int,
        accumulators: int,
        *,
        first_refresh: int | None = None,
        record: bool = False,
    ) -> None:
        super().__init__(standard, channels, first_refresh=first_refresh, record=record)
        self._tables, self._streams = compile_overlap_tables(standard, accumulators)
        self.drain_command = standard.command_ids[StreamCommands.of(standard).drain]
        self._behind = 0

    def play_overlapped(
        self,
        program: PackageProgram,
        start: int = 0,
        *,
        ready: int = 0,
        since: int | None = None,
        row_base: int = 0,
        causes: Ints | None = None,
    ) -> Played:
        """Play a program on all channels.

        Parameters
        ----------
        start : no command before this cycle, nor before the last command of the previous program
        ready : no data before this cycle: neither fills of the buffer nor writes
        row_base : added to every row of the program
        causes : (len(kernel.CAUSES),) the cycles of the slowest channel are added to it by cause, from cycle `since`
            (by default `start`) on
        """
        sums = np.zeros(len(kernel.CAUSES), dtype=np.int64) if causes is None else causes
        begin = max(start, self._behind)
        drains = np.empty((self.channels, int(program.issues(self.drain_command).max())), dtype=np.int64)
        behind = begin

        def run() -> int:
            nonlocal behind
            finish, behind = play_overlapped(
                self._states,
                self._class_of,
                self._tables,
                self._streams,
                program.requests,
                program.offsets,
                program.program_of,
                row_base,
                begin,
                ready,
                begin if since is None else since,
                self._tally,
                sums,
                drains,
                self._log_buffer,
                self._observer is not None,
            )
            return int(finish)

        finish = self._observed(run, begin, sums)
        self._behind = int(behind)
        return Played(finish, self._behind, drains)
