"""A memory with a port for several masters, as an object: offer runs, advance time, get completions."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence

import numpy as np

from hwsim.dram.device.tables import FOREVER, Ints
from hwsim.dram.native.function import CompiledFunction
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.fields import NOBODY, Asking, Host, Logged, RunField, Stop
from hwsim.dram.random_access.kept import Kept, forget, new_kept
from hwsim.dram.random_access.masters import MOST_MASTERS, POLICIES, Completion, Master, Policy, Run
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.dram.random_access.served import Latencies, Served, served
from hwsim.dram.random_access.state import BUFFER, Memory, copy_memory, new_memory
from hwsim.errors import DramError, nearest

PLAY = CompiledFunction("hwsim.dram.random_access.kernel", "play")
MOST_CHANNELS = 1024
MOST_WIDTH = 4096
_ROOM = 64  # runs that wait at each master before their memory grows


class MemoryPort:
    """Channels with their controllers, and masters that share them; equal to `ReferenceMemory` cycle for cycle.

    Memory use grows with the runs that wait and not with those that were served.

    Parameters
    ----------
    masters : in the order in which `priority` prefers them
    policy : who goes first if several masters ask: `round_robin`, `priority`, or the one that has asked longest
    width : accesses that the port takes in a cycle; by default one for each channel
    on_commands : called with rows of channel, cycle, command number, bank, row, column, in order of time

    Raises
    ------
    DramError : no master or two of one name, an unknown policy, a number out of range, a standard without a command
        that the parameters need
    """

    def __init__(
        self,
        mapping: AddressMapping,
        parameters: ControllerParameters,
        masters: Sequence[Master],
        *,
        policy: Policy = "round_robin",
        width: int | None = None,
        on_commands: Callable[[Ints], None] | None = None,
        room: int = _ROOM,
    ) -> None:
        width = mapping.channels if width is None else width
        _check(mapping, parameters, masters, policy, width)
        self.mapping = mapping
        self.masters = tuple(masters)
        self._numbers = {master.name: number for number, master in enumerate(masters)}
        self._memory = new_memory(mapping, parameters, masters, policy=policy, width=width, room=room)
        self._kept = new_kept(self._memory)
        self._on_commands = on_commands
        rows = BUFFER + mapping.channels + width if on_commands else 1
        self._log = np.zeros((rows, len(Logged)), dtype=np.int64)
        self._latencies = Latencies()
        self._completions: list[Completion] = []
        self._last_arrival = [0] * len(self.masters)

    @property
    def cycle(self) -> int:
        """Everything before this cycle has happened."""
        return int(self._memory.host[Host.CYCLE])

    @property
    def finish(self) -> int:
        """The cycle in which the last access that was issued completes."""
        return int(self._memory.host[Host.FINISH])

    @property
    def steps(self) -> int:
        """Cycles of a channel that were looked at: the work that playing took."""
        return int(self._memory.host[Host.STEPS])

    @property
    def skipped(self) -> int:
        """Accesses that were taken without a step, because a run repeated itself."""
        return int(self._memory.host[Host.SKIPPED])

    def offer(self, master: str, run: Run, *, completion: bool = True, beats: bool = False) -> int:
        """Append a run to what a master wants; return its ticket, by which its completion is known.

        Parameters
        ----------
        completion : False if nobody wants to know when it is complete
        beats : a completion for each beat instead of one for the run

        Raises
        ------
        DramError : no such master, a run that leaves the memory or arrives in the past, more runs than may wait
        """
        number = self._numbers.get(master)
        if number is None:
            raise DramError(f"no master {master!r}{nearest(master, self._numbers)}")
        run.check(master, self.mapping.capacity_bytes)
        earliest = max(self.cycle, self._last_arrival[number])
        arrival = run.arrival or earliest
        if arrival < earliest:
            raise DramError(f"master {master}: a run arrives at cycle {arrival}, before cycle {earliest}")
        state = self._memory.masters[number]
        limit = self.masters[number].waiting
        if limit is not None and state[Asking.RUNS] >= limit:
            raise DramError(f"master {master}: offers more than the {limit} runs that may wait")
        ticket = int(self._memory.host[Host.TICKETS])
        self._memory.host[Host.TICKETS] = ticket + 1
        self._last_arrival[number] = arrival
        row = [run.write, run.address, run.stride, run.count, run.size or 1, arrival]
        self._append(number, [*row, ticket if completion else NOBODY, beats, 0])
        return ticket

    def advance(self, until: int) -> list[Completion]:
        """Play the cycles before `until`; return what completes up to and in it.

        Raises
        ------
        DramError : a cycle in the past
        """
        if until < self.cycle:
            raise DramError(f"the memory is at cycle {self.cycle} and cannot go back to {until}")
        self._play(until)
        done = []
        while self._completions and self._completions[0].cycle <= until:
            done.append(heapq.heappop(self._completions))
        return done

    def drain(self) -> list[Completion]:
        """Play until no access waits; return all further completions."""
        self._play(FOREVER)
        done = sorted(self._completions)
        self._completions = []
        return done

    @property
    def arrays(self) -> tuple[Memory, Kept]:
        """What the memory consists of, for a kernel that offers and plays by itself (`embedded.py`)."""
        return self._memory, self._kept

    def served(self) -> Served:
        """What was done so far."""
        self.collect()
        return served(self.mapping.standard, self._memory, self._latencies)

    def _append(self, master: int, row: list[int]) -> None:
        memory = self._memory
        if memory.masters[master, Asking.RUNS] == memory.runs.shape[1]:
            self._grow()
            memory = self._memory
        state = memory.masters[master]
        place = (state[Asking.HEAD] + state[Asking.RUNS]) % memory.runs.shape[1]
        memory.runs[master, place] = row
        state[Asking.RUNS] += 1

    def _grow(self) -> None:
        """Double the room for runs, each ring from its beginning."""
        old = self._memory.runs
        runs = np.zeros((old.shape[0], 2 * old.shape[1], len(RunField)), dtype=np.int64)
        for master, state in enumerate(self._memory.masters):
            runs[master, : old.shape[1]] = np.roll(old[master], -int(state[Asking.HEAD]), axis=0)
            state[Asking.HEAD] = 0
        self._memory = self._memory._replace(runs=runs)

    def foresee(self, tickets: Collection[int]) -> int | None:
        """The cycle in which the first of some tickets completes if nothing more is offered; the memory stays.

        None if none of them is under way.
        """
        before = self._save()
        until, found = FOREVER, None
        while found is None or self.cycle < found:
            why = self._play(until, eager=True)
            found = min((done.cycle for done in self._completions if done.ticket in tickets), default=None)
            until = FOREVER if found is None else found
            if why == Stop.DONE:
                break
        self._restore(before)
        return found

    def _save(self) -> tuple[Memory, list[Completion], Latencies]:
        return copy_memory(self._memory), list(self._completions), self._latencies.copy()

    def _restore(self, saved: tuple[Memory, list[Completion], Latencies]) -> None:
        self._memory, self._completions, self._latencies = saved
        forget(self._kept)

    def _play(self, until: int, *, feeding: bool = False, eager: bool = False) -> int:
        recording = self._on_commands is not None
        while True:
            why = PLAY(self._memory, self._kept, until, feeding, eager, self._log, recording)
            self.collect()
            if why != Stop.FULL:
                return why

    def collect(self) -> None:
        """Take over what the buffers of the compiled functions hold; for those who call these themselves."""
        memory = self._memory
        for cycle, ticket, beat in memory.completions[: memory.host[Host.COMPLETED]].tolist():
            heapq.heappush(self._completions, Completion(cycle, ticket, beat))
        self._latencies.add(memory.long_latencies[: memory.host[Host.LONG]])
        logged = memory.host[Host.LOGGED]
        memory.host[Host.COMPLETED] = memory.host[Host.LONG] = memory.host[Host.LOGGED] = 0
        if self._on_commands and logged:
            self._on_commands(self._log[:logged])


def _check(
    mapping: AddressMapping, parameters: ControllerParameters, masters: Sequence[Master], policy: str, width: int
) -> None:
    standard = mapping.standard
    names = [master.name for master in masters]
    if not 1 <= len(names) <= MOST_MASTERS or len(set(names)) < len(names):
        raise DramError(f"a memory port needs 1 to {MOST_MASTERS} masters of different names, got {', '.join(names)}")
    if policy not in POLICIES:
        raise DramError(f"no policy {policy!r}{nearest(policy, POLICIES)}")
    if not 1 <= mapping.channels <= MOST_CHANNELS:
        raise DramError(f"channels must be 1 to {MOST_CHANNELS}, got {mapping.channels}")
    if not 1 <= width <= MOST_WIDTH:
        raise DramError(f"a port takes 1 to {MOST_WIDTH} accesses a cycle, got {width}")
    if parameters.closes_rows and not {"RDA", "WRA"} <= set(standard.commands):
        raise DramError(f"standard {standard.name}: has no RDA and WRA, so its rows cannot be closed by an access")
    if standard.refresh and standard.refresh.postponed:
        raise DramError(f"standard {standard.name}: the memory controller postpones no refresh")
