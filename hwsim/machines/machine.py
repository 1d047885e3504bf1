"""What the pipeline asks of every machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel

from hwsim.errors import MachineError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.step import Step
from hwsim.mapping.workload.computed_load import Choices
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.details import Details
from hwsim.report.schema import Report

if TYPE_CHECKING:
    from hwsim.engine.timeline import Timeline
    from hwsim.engine.unit_spec import UnitSpec
    from hwsim.verify.report import VerifyReport
    from hwsim.verify.request import VerifyRequest

SpecT = TypeVar("SpecT", bound=BaseModel)

# Called while a simulation runs with (steps done, steps in all).
Progress = Callable[[int, int], None]


class Dumpable(Protocol):
    """A stage with a stable text."""

    def dump(self, step: Step) -> str: ...


MappedT = TypeVar("MappedT", bound=Dumpable)
ProgramT = TypeVar("ProgramT", bound=Dumpable)
ExecutionT = TypeVar("ExecutionT")


class Machine(ABC, Generic[SpecT, MappedT, ProgramT, ExecutionT]):
    """An accelerator: its parameters and the stages from a graph to a report.

    Every stage is a pure function of frozen values, so that sweeps can keep what did not change.
    """

    name: ClassVar[str]
    # Families of models that it can run (`hwsim.mapping.models.MODELS`), and the operator kinds that it has units for.
    families: ClassVar[tuple[str, ...]]
    kinds: ClassVar[frozenset[str]]

    def has_units_for(self, graph: OperatorGraph) -> bool:
        """Whether it has a unit for every operator of a graph; how much fits and in which formats is another matter."""
        return all(op.is_view or op.kind in self.kinds for op in graph.operators)

    @property
    @abstractmethod
    def spec_file(self) -> SpecFile[SpecT]:
        """The shipped parameters with their provenance."""

    @abstractmethod
    def check(self, spec: SpecT) -> None:
        """Derive everything that parameters alone decide, so that a wrong one is found before any work.

        Raises
        ------
        MachineError : parameters that contradict each other
        """

    @abstractmethod
    def units(self, spec: SpecT) -> tuple[UnitSpec, ...]:
        """What one device consists of: timing, resources, energy and report take contracts and counts from here."""

    def units_for(self, program: ProgramT, spec: SpecT) -> tuple[UnitSpec, ...]:
        """`units` as they are made for a program, by a machine whose units depend on the model's sizes."""
        return self.units(spec)

    def board(self, spec: SpecT) -> str | None:
        """The board (`hwsim.rtl.boards.BOARDS`) whose FPGA holds the units of kind `fpga`; None without such units."""
        return None

    def own_format(self, spec: SpecT) -> str | None:
        """Number format of models that state none; None where these have their usual one (`Model.format`)."""
        return None

    @abstractmethod
    def map_graph(self, graph: OperatorGraph, workload: Workload[Any, Any], spec: SpecT) -> MappedT:
        """Fuse, split and place a graph for this machine."""

    @abstractmethod
    def lower(self, mapped: MappedT, workload: Workload[Any, Any], spec: SpecT) -> ProgramT:
        """Turn a mapped graph into instructions."""

    @abstractmethod
    def simulate(self, program: ProgramT, *, progress: Progress | None = None, trace_tokens: int = 0) -> ExecutionT:
        """Run a program to its end.

        Parameters
        ----------
        trace_tokens : tokens, passes over the layers or rows from the start whose work is kept for `timeline`; 0 keeps
            nothing and costs nothing
        """

    @abstractmethod
    def summarize(self, run: ExecutionT) -> Report:
        """The report of a run."""

    @abstractmethod
    def timeline(self, run: ExecutionT) -> Timeline:
        """What each unit did when, over the tokens that `simulate` was asked to keep."""

    def verify(self, request: VerifyRequest, spec: SpecT) -> VerifyReport:
        """Compare this machine's own arithmetic with float64; for machines with golden models.

        Raises
        ------
        MachineError : a machine without golden models
        """
        raise MachineError(f"{self.name}: has no golden models, so there is no arithmetic to verify")

    def choose_experts(self, workload: Workload[Any, Any], spec: SpecT) -> Choices:
        """Experts of an image's tokens by this machine's own arithmetic; for machines with golden models of a gate.

        Parameters
        ----------
        workload : its run says `routing.load: computed`, and with which weights

        Raises
        ------
        MachineError : a machine without
        WeightsError : weights that cannot be used
        """
        raise MachineError(
            f"{self.name}: has no golden models that choose experts; routing.load may be uniform, zipf, histogram or "
            "trace"
        )

    def step_ends(self, run: ExecutionT) -> tuple[Sequence[int], int]:
        """Tick in which each step of a run ended, and ticks a second; for machines that work together.

        Raises
        ------
        MachineError : a machine that is one device
        """
        raise MachineError(f"{self.name}: cannot be one of several devices")

    def emit_trace(self, program: ProgramT) -> Iterator[str]:
        """The program as a trace of instructions, in pieces of whole lines; for machines that have such a text.

        Raises
        ------
        MachineError : a machine without
        """
        raise MachineError(f"{self.name}: has no instruction trace to write (--emit-trace)")

    def details(self, run: ExecutionT) -> Details:
        """What the page of a run shows beyond its report; a machine that gives nothing has a shorter page."""
        return Details()
