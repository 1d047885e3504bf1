"""Chunks of requests of one host played on a memory; and one channel of a memory for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import FOREVER, Ints
from hwsim.dram.in_order.program import Request, encode
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.fields import NOBODY, Asking, RunField, Stop
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import Master
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.dram.random_access.served import Served
from hwsim.errors import DramError

HOST = "host"
CHUNK = 1 << 16  # runs that are handed over at once


class MemoryPlayer(MemoryPort):
    """A memory with one master, whose runs come in chunks; nobody waits for their completions.

    Parameters
    ----------
    width, every : the host offers up to `width` accesses at once, `every` cycles apart, in order
    """

    def __init__(
        self,
        mapping: AddressMapping,
        parameters: ControllerParameters,
        *,
        width: int = 1,
        every: int = 1,
        on_commands: Callable[[Ints], None] | None = None,
    ) -> None:
        host = Master(name=HOST, width=width, every=every)
        super().__init__(mapping, parameters, [host], width=width, on_commands=on_commands, room=CHUNK)

    def play(self, chunks: Iterable[Ints]) -> Served:
        """Play runs, (n, len(RunField)), until all are served.

        Runs after those of an earlier play are offered from the cycle after its end on.
        """
        for runs in chunks:
            for first in range(0, len(runs), CHUNK):
                self._feed(runs[first : first + CHUNK])
        self._play(FOREVER)
        return self.served()

    @property
    def last_taken(self) -> int:
        """The cycle in which the last access was taken; 0 before the first."""
        return int(self._memory.masters[0, Asking.SINCE])

    def wait_until(self, cycle: int) -> None:
        """Offer nothing before a cycle; refreshes fall due in the meantime."""
        state = self._memory.masters[0]
        state[Asking.NEXT_OFFER] = max(state[Asking.NEXT_OFFER], self.cycle, cycle)

    def _feed(self, runs: Ints) -> None:
        """Play until the last of these runs is taken."""
        memory = self._memory
        memory.masters[0, Asking.HEAD] = 0
        memory.runs[0, : len(runs)] = runs
        memory.masters[0, Asking.RUNS] = len(runs)
        if len(runs) and self._play(FOREVER, feeding=True) != Stop.MORE_RUNS:
            raise AssertionError("a host that has more to offer is asked for it")


def single_accesses(writes: NDArray[np.bool_], addresses: Ints) -> Ints:
    """Accesses as runs of one beat for a `MemoryPlayer`."""
    runs = np.zeros((len(addresses), len(RunField)), dtype=np.int64)
    runs[:, RunField.WRITE], runs[:, RunField.ADDRESS] = writes, addresses
    runs[:, RunField.COUNT] = runs[:, RunField.SIZE] = 1
    runs[:, RunField.TICKET] = NOBODY
    return runs


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
            load_mapping("ChRaBaRoCo", standard, 1),  # each bank is one stretch of addresses
            parameters or load_parameters(),
            on_commands=self._keep if record else None,
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
        addresses = (request.bank * s.rows * s.columns + linear) * s.column_bytes
        return single_accesses(np.full(len(linear), request.command == "WR", dtype=np.bool_), addresses)

    def _keep(self, entries: Ints) -> None:
        for _, cycle, command, bank, row, column in entries.tolist():
            self.log.append(LoggedCommand(cycle=cycle, command=self._names[command], bank=bank, row=row, column=column))
