"""The fast memory as an object that takes any number of request chunks; and one channel of it for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard, refuse_ranks, refuse_turns
from hwsim.dram.in_order.program import Request, encode
from hwsim.dram.random_access import kernel
from hwsim.dram.random_access.address import FIELDS
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.errors import DramError

Ints = NDArray[np.int64]
MOST_CHANNELS = 1024
MOST_BANKS = 62  # a bit each in the kernel's sets
_BUFFER = 1 << 15


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a memory did so far.

    Attributes
    ----------
    hits, misses, conflicts : accesses to a row that was open, to a closed bank, or to a bank that was precharged for
    them
    forwarded, merged : reads answered by a waiting write; writes that replaced a waiting one
    read_latencies, write_latencies : number of requests by cycles from acceptance to completion
    """

    cycles: int
    commands: dict[str, int]
    channel_commands: list[dict[str, int]]
    hits: int
    misses: int
    conflicts: int
    forwarded: int
    merged: int
    read_latencies: Ints
    write_latencies: Ints

    @property
    def accesses(self) -> int:
        return self.hits + self.misses + self.conflicts

    @property
    def row_hit_rate(self) -> float:
        return self.hits / self.accesses if self.accesses else 0.0


class MemoryPlayer:
    """Host and channels; equal to `ReferenceMemory` cycle for cycle. Memory use does not grow with the requests.

    Parameters
    ----------
    width, every : the host offers up to `width` requests at once, `every` cycles apart, in order
    on_commands : called with rows of channel, cycle, command number, bank, row, column, in order of time
    """

    def __init__(
        self,
        standard: Standard,
        channels: int,
        parameters: ControllerParameters,
        *,
        width: int = 1,
        every: int = 1,
        on_commands: Callable[[Ints], None] | None = None,
    ) -> None:
        if not 1 <= channels <= MOST_CHANNELS:
            raise DramError(f"channels must be 1 to {MOST_CHANNELS}, got {channels}")
        if standard.banks > MOST_BANKS:
            raise DramError(f"standard {standard.name}: at most {MOST_BANKS} banks a channel, got {standard.banks}")
        if width < 1 or every < 1:
            raise DramError(f"the host's requests at once and cycles between must be at least 1, got {width}, {every}")
        refuse_ranks(standard, "the memory controller")
        refuse_turns(standard, "the memory controller")
        self.standard = standard
        self._memory = kernel.new_memory(standard, channels, parameters, width=width, every=every)
        self._on_commands = on_commands
        room = _BUFFER + channels + width
        self._latencies = np.zeros((room, kernel.LATENCY_FIELDS), dtype=np.int64)
        self._log = np.zeros((room if on_commands else 1, kernel.LOG_FIELDS), dtype=np.int64)
        self._histograms = [np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)]

    def play(self, chunks: Iterable[Ints]) -> Served:
        """Play encoded requests (`AddressMapping.encode`) until all are served.

        Requests after those of an earlier play are offered from the cycle after its end on.
        """
        held = np.empty((0, len(FIELDS)), dtype=np.int64)  # the last chunk so far: time stops after the last request
        for requests in chunks:
            if len(requests):
                self._feed(held, final=False)
                held = requests
        self._feed(held, final=True)
        self._memory.host[kernel.CYCLE] += 1
        return self.served()

    def wait_until(self, cycle: int) -> None:
        """Offer no request before a cycle; refreshes fall due in the meantime."""
        host = self._memory.host
        host[kernel.NEXT_OFFER] = max(host[kernel.NEXT_OFFER], host[kernel.CYCLE], cycle)

    def served(self) -> Served:
        """What was done so far."""
        memory, names = self._memory, list(self.standard.commands)
        hits, misses, conflicts = memory.channels[:, kernel.KINDS : kernel.KINDS + 3].sum(axis=0).tolist()
        each = [{name: n for name, n in zip(names, row, strict=True) if n} for row in memory.counts.tolist()]
        total = memory.counts.sum(axis=0).tolist()
        return Served(
            cycles=self.finish,
            commands={name: n for name, n in zip(names, total, strict=True) if n},
            channel_commands=each,
            hits=hits,
            misses=misses,
            conflicts=conflicts,
            forwarded=int(memory.host[kernel.FORWARDED]),
            merged=int(memory.host[kernel.MERGED]),
            read_latencies=self._histograms[0],
            write_latencies=self._histograms[1],
        )

    @property
    def finish(self) -> int:
        """The cycle in which the last request completed."""
        return int(self._memory.host[kernel.FINISH])

    def _feed(self, requests: Ints, *, final: bool) -> None:
        at = 0
        while True:
            why, at = kernel.play(
                self._memory, requests, at, final, self._latencies, self._log, self._on_commands is not None
            )
            self._flush()
            if why != kernel.FULL_BUFFERS:
                return

    def _flush(self) -> None:
        host = self._memory.host
        done = self._latencies[: host[kernel.LATENCIES]]
        for write in (0, 1):
            more = np.bincount(done[done[:, 0] == write, 1])
            held = self._histograms[write]
            if len(more) > len(held):
                held = np.concatenate([held, np.zeros(len(more) - len(held), dtype=np.int64)])
                self._histograms[write] = held
            held[: len(more)] += more
        host[kernel.LATENCIES] = 0
        if self._on_commands and host[kernel.LOGGED]:
            self._on_commands(self._log[: host[kernel.LOGGED]])
            host[kernel.LOGGED] = 0


class MemoryChannel:
    """One channel of plain memory with the interface of `ChannelController`: programs of RD and WR.

    Accesses of a program are offered in its order, one a cycle; the controller may reorder them.
    """

    def __init__(
        self, standard: Standard, parameters: ControllerParameters | None = None, *, record: bool = False
    ) -> None:
        self.standard = standard
        self.log: list[LoggedCommand] = []
        self._names = list(standard.commands)
        self._player = MemoryPlayer(
            standard, 1, parameters or load_parameters(), on_commands=self._keep if record else None
        )

    def play(self, requests: Sequence[Request], start: int) -> int:
        """Play a program from cycle `start` on; return the cycle in which its last access completes.

        Raises
        ------
        DramError : a command other than RD and WR, an address that the standard does not have
        """
        encode(requests, self.standard)  # only for its checks
        accesses = [self._accesses(request) for request in requests if request.count]
        if not accesses:
            return start
        self._player.wait_until(start)
        return self._player.play([np.concatenate(accesses)]).cycles

    @property
    def counts(self) -> dict[str, int]:
        return self._player.served().commands

    def _accesses(self, request: Request) -> Ints:
        if request.command not in ("RD", "WR"):
            raise DramError(f"{request.command}: a memory serves RD and WR")
        s = self.standard
        linear = request.row * s.columns + request.column + np.arange(request.count)
        row = linear // s.columns
        sweeps = [linear[row == r] for r in np.unique(row)]  # each row is swept `repeat` times before the next
        linear = np.concatenate([np.tile(sweep, request.repeat) for sweep in sweeps])
        out = np.zeros((len(linear), len(FIELDS)), dtype=np.int64)
        out[:, kernel.WRITE] = request.command == "WR"
        out[:, kernel.BANK] = request.bank
        out[:, kernel.ROW], out[:, kernel.COLUMN] = np.divmod(linear, s.columns)
        out[:, kernel.BLOCK] = request.bank * s.rows * s.columns + linear
        return out

    def _keep(self, entries: Ints) -> None:
        for _, cycle, command, bank, row, column in entries.tolist():
            self.log.append(LoggedCommand(cycle=cycle, command=self._names[command], bank=bank, row=row, column=column))
