"""The description of a block for the bench, the generator and the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from hwsim.rtl.contract import PROVENANCE, Contract
from hwsim.rtl.ports import Streams

C = TypeVar("C", bound=Contract)


@dataclass(frozen=True, kw_only=True)
class Job:
    """Work for a block: the beats of each input stream, and the same work as `contract.cycles` counts it."""

    name: str
    work: Any
    inputs: Streams


class Cases(Protocol):
    """A block's `cases.py`: the parameters and jobs that prove it.

    Attributes
    ----------
    SETS : changes to the preset `rtl`; the first two are built in every test run, the others under `-m slow`.
        Together they vary every parameter. Synthesis results are kept for all of them.
    EXTREMES : further sets, with ends of ranges that SETS lack; proven under `-m slow`, not synthesised.
    """

    SETS: tuple[Mapping[str, Any], ...]
    EXTREMES: tuple[Mapping[str, Any], ...]

    @staticmethod
    def random_job(contract: Any, rng: np.random.Generator) -> Job:
        """A job of some tens of beats with random lengths and data."""

    @staticmethod
    def corner_jobs(contract: Any) -> list[Job]:
        """Minima, maxima, values that wrap, the shortest job, and an empty job if allowed."""

    # LEFT_OUT: Mapping[tuple[str, int], str], ends of ranges that no set has, with the reasons
    # held_jobs(contract) -> list[Job], if a contract states a backlog: jobs that fill the block


@dataclass(frozen=True, kw_only=True)
class Block(Generic[C]):
    """A block of hardware.

    Attributes
    ----------
    summary : one line
    contract : its parameters and timing
    golden : (contract, input streams) -> output streams, bit-exact with the RTL
    cases : module with the parameter sets and jobs that prove it
    component_path : "module:Class" of the Amaranth component, imported when one is made
    """

    summary: str
    contract: type[C]
    golden: Callable[[C, Streams], Streams]
    cases: Any
    component_path: str

    def component(self, contract: C) -> Any:
        """The Amaranth component (imports Amaranth)."""
        module, name = self.component_path.split(":")
        return getattr(import_module(module), name)(contract)

    def sets(self) -> list[C]:
        """The contracts of all listed parameter sets."""
        return [self.contract.from_preset("rtl", **changes) for changes in self.cases.SETS]

    def extremes(self) -> list[C]:
        """The contracts of the sets `EXTREMES`."""
        return [self.contract.from_preset("rtl", **changes) for changes in self.cases.EXTREMES]

    def parameter_names(self) -> list[str]:
        """Parameters of the contract, without the fields that say where they come from."""
        return [f.name for f in fields(self.contract) if f.name not in PROVENANCE]
