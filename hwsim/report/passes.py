"""Passes over the layers one after the other: what a switch between tasks or images cost, and images that arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hwsim.mapping.workload.image_run import Arriving
from hwsim.report.run_time import RunTime
from hwsim.report.schema import ArrivalUse, PassesUse, SwitchUse


@dataclass(frozen=True, kw_only=True)
class PassTime:
    """A pass, in ticks.

    Attributes
    ----------
    task : its name
    images : that pass together
    arrives : from which on they are there
    begun, ended : of its work
    waited : ticks in which it waited for what the pass before had not left ready
    """

    task: str
    images: int
    arrives: int
    begun: int
    ended: int
    waited: int


def passes_use(time: RunTime, run: Arriving, passes: Sequence[PassTime]) -> PassesUse:
    """The section of a report.

    Parameters
    ----------
    passes : of the whole run, in order
    """
    counts: Counter[tuple[str, str]] = Counter()
    waited: Counter[tuple[str, str]] = Counter()
    for before, after in pairwise(passes):
        counts[before.task, after.task] += 1
        waited[before.task, after.task] += after.waited
    return PassesUse(
        passes=len(passes),
        switches=[
            SwitchUse(before=before, after=after, passes=count, cycles=time.cycles(waited[before, after]))
            for (before, after), count in counts.items()
        ],
        arrivals=_arrivals(time, run, passes),
    )


def _arrivals(time: RunTime, run: Arriving, passes: Sequence[PassTime]) -> ArrivalUse | None:
    """How the machine kept up; None where everything is there at the begin."""
    if run.frames_per_second is None:
        return None
    firsts = [each for before, each in zip([None, *passes], passes) if before is None or before.arrives < each.arrives]
    ends = [0, *(each.ended for each in passes)]
    idle = sum(max(0, each.arrives - end) for end, each in zip(ends, passes))
    late = [each for each in firsts if each.begun - each.arrives > time.clock.period_ticks]
    served = run.produced / time.seconds(time.ticks - idle)
    return ArrivalUse(
        per_s=run.frames_per_second,
        served_per_s=served,
        idle_cycles=time.cycles(idle),
        late=sum(each.images for each in late),
        longest_wait_s=max((time.seconds(each.begun - each.arrives) for each in late), default=0.0),
        unserved_per_s=max(0.0, run.frames_per_second - served),
    )
