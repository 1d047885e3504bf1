"""Records the first tokens of a run for a trace."""

from __future__ import annotations

from dataclasses import dataclass, field

from hwsim.dram.device.log import PlayLog
from hwsim.dram.in_order.package import Package
from hwsim.engine.trace import Trace
from hwsim.mapping.step import Step


@dataclass(kw_only=True, eq=False)
class Recorder:
    """Keeps the slices of all units and the package's logs until enough tokens have begun.

    Attributes
    ----------
    tokens : tokens of each sequence to keep; a step with several tokens is kept whole
    steps : the steps kept
    plays : the package's logs, one for each instruction that went to it
    """

    tokens: int
    trace: Trace
    package: Package
    steps: list[Step] = field(default_factory=list)
    plays: list[PlayLog] = field(default_factory=list)
    _begun: int = 0

    def __post_init__(self) -> None:
        self.trace.keep_on()
        self.package.observe(self.plays.append)

    def begin(self, step: Step) -> None:
        """Begin a step: keep it, or stop recording."""
        if self._begun < self.tokens:
            self.steps.append(step)
            self._begun += step.queries
        else:
            self.trace.keep_no_more()
            self.package.observe(None)
