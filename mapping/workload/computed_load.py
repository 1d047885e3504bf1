"""Experts as a machine's golden models have chosen them, in the place of what a run left to be computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from pydantic import PrivateAttr

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.workload.loads import Load
from hwsim.mapping.workload.token_experts import Experts

# (task, layer) -> the experts of an image's tokens, (tokens, top_k)
Choices = Mapping[tuple[int, int], Experts]


class ComputedLoad(Load):
    """A load whose choices are known: a pass over the image has them for each task, whatever its place in the run."""

    _choices: Choices = PrivateAttr()

    @classmethod
    def of(cls, load: Load, choices: Choices) -> Self:
        """The load `load`, computed.

        Parameters
        ----------
        load : of kind `computed`
        choices : for all tasks of the run; no expert twice in a row
        """
        made = cls(load=load.load, weights=load.weights)
        made._choices = choices
        return made

    def at(self, number: int, task: int = 0) -> ComputedStep:
        """The choices of one step, which are the same in every step of the task."""
        return ComputedStep(name=str(self), choices=self._choices, task=task)


@dataclass(frozen=True, kw_only=True)
class ComputedStep:
    """The choices of one step; a batch is as many times the same image (see `hwsim.mapping.step.StepLoad`).

    Attributes
    ----------
    name : of the load, for dumps
    """

    name: str
    choices: Choices
    task: int

    @property
    def known(self) -> bool:
        return True

    def queue_lengths(self, *, layer: int, tokens: int, experts: int, top_k: int) -> tuple[int, ...]:
        """Tokens that each expert of a layer gets.

        Raises
        ------
        WorkloadError : other tokens or experts than were computed
        """
        chosen = self.token_experts(layer=layer, tokens=tokens, experts=experts, top_k=top_k)
        return tuple(np.bincount(chosen.ravel(), minlength=experts).tolist())

    def token_experts(self, *, layer: int, tokens: int, experts: int, top_k: int) -> Experts:
        """Experts of each token of a layer, (tokens, top_k), the best first.

        Raises
        ------
        WorkloadError : other tokens or experts than were computed
        """
        chosen = self.choices.get((self.task, layer))
        if chosen is None:
            raise WorkloadError(f"routing.load computed: nothing was computed for task {self.task}, layer {layer}")
        images, rest = divmod(tokens, len(chosen))
        if rest or chosen.shape[1] != top_k or int(chosen.max()) >= experts:
            raise WorkloadError(
                f"routing.load computed: layer {layer} has {len(chosen)} tokens with {chosen.shape[1]} of at least "
                f"{int(chosen.max()) + 1} experts each, asked for {tokens} tokens with {top_k} of {experts}"
            )
        return np.tile(chosen, (images, 1))

    def __str__(self) -> str:
        return self.name
