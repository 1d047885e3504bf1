"""Passes over the layers in a report: what switches cost, and images that arrive."""

from fractions import Fraction

import pytest

from hwsim.engine.clock import Clock
from hwsim.mapping.workload.image_run import TaskRun
from hwsim.report.headline import arrivals_text
from hwsim.report.passes import PassTime, passes_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import SwitchUse


def timed(ticks: int) -> RunTime:
    """A run at 1 kHz, two ticks a cycle."""
    clock = Clock(name="c", freq_hz=Fraction(1000), period_ticks=2)
    return RunTime(ticks=ticks, ticks_per_second=2000, clock=clock)


def passed(task: str, arrives: int, begun: int, ended: int, waited: int = 0) -> PassTime:
    return PassTime(task=task, images=1, arrives=arrives, begun=begun, ended=ended, waited=waited)


def test_switches_are_counted_by_task() -> None:
    passes = [
        passed("a", 0, 0, 10),
        passed("b", 0, 12, 20, waited=2),
        passed("a", 0, 20, 30),
        passed("b", 0, 36, 40, waited=6),
    ]
    use = passes_use(timed(40), TaskRun(images=4), passes)
    assert use.switches == [
        SwitchUse(before="a", after="b", passes=2, cycles=4),
        SwitchUse(before="b", after="a", passes=1, cycles=0),
    ]
    assert (use.passes, use.arrivals) == (4, None)


def test_a_machine_that_keeps_up_is_idle_between() -> None:
    passes = [passed("a", 0, 0, 100), passed("a", 400, 400, 500), passed("a", 800, 800, 900)]
    arrivals = passes_use(timed(900), TaskRun(images=3, frames_per_second=5), passes).arrivals
    assert arrivals is not None
    assert (arrivals.idle_cycles, arrivals.late, arrivals.unserved_per_s) == (300, 0, 0)
    assert arrivals.served_per_s == pytest.approx(20)  # each takes 50 ms
    assert arrivals_text(arrivals) == (
        "5 a second arrive, 20.00 could be served: all can be served; idle for 300 cycles, none began late"
    )


def test_a_machine_that_does_not_keep_up_falls_behind() -> None:
    passes = [passed("a", 0, 0, 100), passed("a", 50, 100, 200), passed("a", 100, 200, 300)]
    arrivals = passes_use(timed(300), TaskRun(images=3, frames_per_second=40), passes).arrivals
    assert arrivals is not None
    assert (arrivals.idle_cycles, arrivals.late, arrivals.longest_wait_s) == (0, 2, 0.05)
    assert arrivals.unserved_per_s == pytest.approx(20)
    assert arrivals_text(arrivals) == (
        "40 a second arrive, 20.00 could be served: 20.00 a second cannot be served; idle for 0 cycles, 2 began late, "
        "by up to 50.000 ms"
    )


def test_a_frame_is_late_once_however_many_tasks_it_has() -> None:
    passes = [passed("a", 0, 0, 100), passed("b", 0, 100, 200), passed("a", 50, 200, 300), passed("b", 50, 300, 400)]
    arrivals = passes_use(timed(400), TaskRun(frames=2, frames_per_second=40), passes).arrivals
    assert arrivals is not None
    assert arrivals.late == 1
