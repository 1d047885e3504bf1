"""Units that pass beats once: norm, residual add, fill."""

from __future__ import annotations

from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from hwsim.fabric.tasks.walk import Walk, port_fifo
from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.residual_add.contract import ResidualAddContract


def norm_task(c: LayerNormContract, tokens: int, *, name: str, x: Walk, y: Walk) -> Task:
    """Statistics of a token, then its results, while the statistics of the next tokens are taken."""
    beats = tokens * c.beats
    last = Pattern(first=c.beats - 1, period=c.beats)
    statistics = Loop(
        name="statistics", unit="layernorm", trips=beats, takes=(Take("x"),),
        gives=(Give("again"), Give("roots", when=last, after=c.statistics_latency - 1)),
    )  # fmt: skip
    affine = Loop(
        name="affine", unit="layernorm", trips=beats,
        takes=(Take("again"), Take("roots", when=Pattern(period=c.beats))),
        gives=(Give("y", after=c.affine_latency),),
    )  # fmt: skip
    fifos = (port_fifo("x"), Fifo("again", c.queue_beats), Fifo("roots", 2 if c.beats == 1 else 1), port_fifo("y"))
    return Task(
        unit="layernorm", kind="norm", name=name, fifos=fifos, loops=(statistics, affine),
        transfers=(x.read("x"), y.write("y")),
    )  # fmt: skip


def add_task(c: ResidualAddContract, beats: int, *, name: str, x: Walk, branch: Walk, y: Walk) -> Task:
    """A beat of each at a time."""
    add = Loop(
        name="add", unit="residual_add", trips=beats, takes=(Take("x"), Take("branch")),
        gives=(Give("y", after=c.latency),),
    )  # fmt: skip
    return Task(
        unit="residual_add", kind="eltwise", name=name, loops=(add,),
        fifos=(port_fifo("x"), port_fifo("branch"), port_fifo("y")),
        transfers=(x.read("x"), branch.read("branch"), y.write("y")),
    )  # fmt: skip


def fill_task(c: FillContract, beats: int, *, name: str, y: Walk) -> Task:
    """Beats of one number; the command is a cycle of its own."""
    c.check(beats)
    fill = Loop(name="fill", unit="fill", trips=beats, gives=(Give("y", after=1 + c.output_stages),))
    return Task(unit="fill", kind="fill", name=name, fifos=(port_fifo("y"),), loops=(fill,), transfers=(y.write("y"),))
