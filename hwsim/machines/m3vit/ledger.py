"""What a run did when: work, gaps between work and their causes, steps, loads of experts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from hwsim.fabric.slots import Ended
from hwsim.machines.m3vit.instructions import Load, Work
from hwsim.mapping.step import Step


@dataclass(kw_only=True)
class StepRecord:
    """A pass over the layers, in cycles.

    Attributes
    ----------
    arrives : from which on its images are there
    begun, ended : of its first and its last work
    begin_wait : cycles after its images were there, and the step before was done, in which it waited for the first
        weights that it needs
    gate_wait : cycles in which work waited for the matrix of a gate, and for nothing else
    """

    number: int
    step: Step
    arrives: int
    begun: int = -1
    ended: int = 0
    begin_wait: int = 0
    gate_wait: int = 0
    has_weights: bool = False  # of its first work that needs some


@dataclass(kw_only=True)
class Ledger:
    """Sums of a run, in cycles.

    Attributes
    ----------
    kinds : kind of operator -> cycles of its work
    no_image, weight_wait : cycles between work, by what it waited for
    tiles : cycles in which the engine computed; macs : products that the model asked for
    expert_loads, expert_load_cycles, expert_load_bytes : into the buffers of experts, dense hidden layers too
    works, loads : how many
    visits : tokens that an expert served each time that a cache had fetched it
    """

    steps: list[StepRecord] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    macs_of: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    no_image: int = 0
    weight_wait: int = 0
    tiles: int = 0
    macs: int = 0
    expert_loads: int = 0
    expert_load_cycles: int = 0
    expert_load_bytes: int = 0
    works: int = 0
    loads: int = 0
    visits: list[int] = field(default_factory=list)
    ended: int = 0  # of the last work
    _load_ends: dict[str, int] = field(default_factory=dict)

    def note_load(self, load: Load, ended: Ended) -> None:
        """A load has come."""
        self._load_ends[load.name] = ended.ended
        self.loads += 1
        if load.region == "experts":
            self.expert_loads += 1
            self.expert_load_cycles += ended.cycles
            self.expert_load_bytes += load.part_bytes

    def note_work(self, work: Work, record: StepRecord, ended: Ended) -> None:
        """A piece of work is done."""
        self._note_gap(work, record, ended.begun)
        for name in work.needs:
            self._load_ends.pop(name, None)
        if record.begun < 0:
            record.begun = ended.begun
        record.ended = self.ended = ended.ended
        self.kinds[work.kind] += ended.cycles
        self.macs_of[work.kind] += work.macs
        self.tiles += work.tiles
        self.macs += work.macs
        self.works += 1
        if work.visits:
            self.visits.append(work.visits)

    @property
    def fetch_bytes_per_cycle(self) -> float:
        """Mean rate at which weights of experts and dense hidden layers came, while they came."""
        return self.expert_load_bytes / max(self.expert_load_cycles, 1)

    def _note_gap(self, work: Work, record: StepRecord, begun: int) -> None:
        """Say what the time since the last work was spent on."""
        ready = max(self.ended, min(record.arrives, begun)) if record.begun < 0 else self.ended
        self.no_image += ready - self.ended
        self.weight_wait += begun - ready
        if not record.has_weights:
            record.begin_wait += begun - ready
            record.has_weights = bool(work.needs)
        if work.gate:
            others = [self._load_ends[name] for name in work.needs if name != work.gate]
            record.gate_wait += max(0, min(begun, self._load_ends[work.gate]) - max([ready, *others]))
