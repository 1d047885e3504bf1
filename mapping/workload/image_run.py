"""Runs over images: one after the other, or frames of which several tasks each make something."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Protocol, Self, runtime_checkable

from pydantic import Field, field_validator, model_validator

from hwsim.mapping.step import Step, StepLoad
from hwsim.mapping.workload.loads import Load
from hwsim.mapping.workload.model import Model, Name
from hwsim.mapping.workload.run import Run, Unit, check_batch

Count = Annotated[int, Field(ge=1, le=100_000_000)]


@runtime_checkable
class TakesImages(Protocol):
    """A model of images, each of as many tokens."""

    @property
    def tokens(self) -> int:
        """Tokens of an image."""


@runtime_checkable
class HasTasks(TakesImages, Protocol):
    """A model of images that does one of several tasks at a time."""

    task_names: tuple[str, ...]


class Arriving(Run):
    """Images or frames that a camera gives one after the other, or that are all there from the begin."""

    frames_per_second: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        strict=False,
        description="how many images or frames arrive a second, from the begin of the run on; all are there at the "
        "begin unless given",
    )

    def arrives(self, last: int) -> Fraction:
        """Seconds after the run's begin in which image or frame number `last` is there, counted from 0."""
        if self.frames_per_second is None:
            return Fraction(0)
        return last / Fraction(str(self.frames_per_second))


class ImageRun(Arriving):
    """Images, each in one pass."""

    images: int = Field(default=1, ge=1, le=100_000_000, description="images one after the other, in batches")

    @model_validator(mode="after")
    def _check_batch(self) -> Self:
        check_batch(self.batch, self.images, "images")
        return self

    @property
    def unit(self) -> Unit:
        return "images"

    def steps(self, model: Model, queries_at_once: int = 1) -> Iterator[Step]:
        for first in range(0, self.images, self.batch):
            batch = min(self.batch, self.images - first)
            yield image_step(model, batch, arrives=self.arrives(first + batch - 1))

    @property
    def produced(self) -> int:
        return self.images

    def last_step(self, model: Model) -> Step:
        return image_step(model, min(self.batch, self.images), arrives=self.arrives(self.images - 1))


class TaskRun(Arriving):
    """Images of a model with tasks and experts: each pass is for one task.

    Images take turns at the tasks: the first is for the first task, the second for the second. A frame is an image
    of which every task makes something, so it passes once for each.
    """

    images: Count | None = Field(
        default=None,
        description="images, each for one task, which take turns; unless frames are given, a batch for each of the "
        "tasks that the run names, or 1 if it names none",
    )
    frames: Count | None = Field(default=None, description="frames, each for all the tasks; instead of images")
    tasks: tuple[Name, ...] | None = Field(
        default=None, min_length=1, strict=False, description="tasks in their order; all of the model unless given"
    )
    routing: Load = Field(default=Load(), description="how many tokens the experts get")

    @field_validator("tasks", mode="before")
    @classmethod
    def _one_task(cls, given: object) -> object:
        """A single task may stand without brackets."""
        return (given,) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.images and self.frames:
            raise ValueError(f"expected images or frames, got both: {self.images} and {self.frames}")
        check_batch(self.batch, self.produced, self.unit)
        return self

    @property
    def unit(self) -> Unit:
        return "frames" if self.frames else "images"

    @property
    def produced(self) -> int:
        return self.frames or self.images or (self.batch * len(self.tasks) if self.tasks else 1)

    def steps(self, model: Model, queries_at_once: int = 1) -> Iterator[Step]:
        for turn in range(self._turns):
            for number in self._passes(model, turn):
                yield self._step(model, turn, number)

    def last_step(self, model: Model) -> Step:
        turn = self._turns - 1
        return self._step(model, turn, self._passes(model, turn)[-1])

    @property
    def _turns(self) -> int:
        """Batches of images or frames."""
        return -(-self.produced // self.batch)

    def _passes(self, model: Model, turn: int) -> range:
        """Numbers of the passes of a batch: one of images, one a task of frames."""
        each = len(self._tasks(model)) if self.frames else 1
        return range(turn * each, (turn + 1) * each)

    def _step(self, model: Model, turn: int, number: int) -> Step:
        """Pass `number` of the run; since frames have a pass a task, tasks take turns at passes in either case."""
        tasks = self._tasks(model)
        task = tasks[number % len(tasks)]
        batch = min(self.batch, self.produced - turn * self.batch)
        arrives = self.arrives(turn * self.batch + batch - 1)
        return image_step(model, batch, task=task, load=self.routing.at(number, task), arrives=arrives)

    def _tasks(self, model: Model) -> tuple[int, ...]:
        """Tasks of the run, as the model counts them."""
        assert isinstance(model, HasTasks)
        return tuple(model.task_names.index(task) for task in self.tasks or model.task_names)


def image_step(
    model: Model, batch: int, *, task: int = 0, load: StepLoad | None = None, arrives: Fraction = Fraction(0)
) -> Step:
    """The pass of some images."""
    assert isinstance(model, TakesImages)
    return Step(queries=model.tokens, context=model.tokens, batch=batch, task=task, load=load, arrives=arrives)
