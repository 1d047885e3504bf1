"""A call of a unit: a task, and the calls that must be done before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import simpy

from hwsim.fabric.task import Task


@dataclass(frozen=True, eq=False)
class Call:
    """A task that a unit carries out.

    Attributes
    ----------
    after : calls that must be done before it begins
    done : fires, with what is known of the task, when it has ended
    """

    task: Task
    after: Sequence[Call]
    done: simpy.Event
