"""What data decides, declared: how many tokens the experts of a layer get, as a distribution, counts or a trace.

Nothing is averaged: a load gives whole numbers for each step and layer, the same ones however often and in whatever
order they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.workload.model import Checked
from hwsim.mapping.workload.queue_lengths import Place, drawn, in_proportion
from hwsim.mapping.workload.routing_trace import read_trace

Kind = Literal["uniform", "zipf", "histogram", "trace", "computed"]

# The fields that only one kind of load reads, with the values that say nothing.
_OWN: dict[str, tuple[Kind, object]] = {
    "seed": ("zipf", 0),
    "exponent": ("zipf", 1.0),
    "histogram": ("histogram", None),
    "trace": ("trace", None),
}


class Load(Checked):
    """A group of fields in a run: `routing` for experts."""

    load: Kind = Field(
        default="uniform",
        description="uniform: every expert as many tokens as every other, to within one. zipf: each token draws its "
        "experts, the r-th most popular with a probability of r^-exponent. histogram: in proportion to given numbers. "
        "trace: as a file has it. computed: as a machine's golden models find, for machines that have them",
    )
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="of the draws, for zipf")
    exponent: float = Field(default=1.0, ge=0, le=10, strict=False, description="of the popularity, for zipf")
    histogram: tuple[float, ...] | None = Field(
        default=None, min_length=1, max_length=100_000, strict=False, description="a number an expert, for histogram"
    )
    trace: str | None = Field(
        default=None,
        min_length=1,
        description="a CSV file with a heading of `step,layer,expert,tokens` or `step,layer,token,expert`, for trace",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, (kind, nothing) in _OWN.items():
            if self.load != kind and getattr(self, name) != nothing:
                raise ValueError(f"{name} goes with load: {kind}, and with no other")
            if self.load == kind and nothing is None and getattr(self, name) is None:
                raise ValueError(f"load: {kind} needs a {name}")
        if self.histogram is not None and (min(self.histogram) < 0 or not any(self.histogram)):
            raise ValueError("histogram: expected numbers of at least 0, one of them more")
        return self

    def check(self, experts: int, top_k: int) -> None:
        """Check that it says something about `experts` of which a token has `top_k`.

        Raises
        ------
        ValueError : a histogram of another length or with too few experts in it; a trace that cannot be read
        """
        if self.histogram is not None:
            if len(self.histogram) != experts:
                raise ValueError(f"routing.histogram has {len(self.histogram)} numbers, the model {experts} experts")
            used = sum(number > 0 for number in self.histogram)
            if used < top_k:
                raise ValueError(f"routing.histogram uses {used} experts, a token goes to {top_k}")
        if self.trace is not None:
            read_trace(self.trace).check(experts)

    def at(self, number: int, task: int = 0) -> BoundLoad:
        """The load of one step.

        Parameters
        ----------
        number : the step's place in the run, counted from 0
        task : the step's task; other experts are popular with each
        """
        return BoundLoad(load=self, number=number, task=task)

    def __str__(self) -> str:
        match self.load:
            case "zipf":
                return f"zipf, exponent {self.exponent:g}, seed {self.seed}"
            case "trace":
                return f"trace {self.trace}"
            case _:
                return self.load


@dataclass(frozen=True, kw_only=True)
class BoundLoad:
    """The load of one step, which gives numbers."""

    load: Load
    number: int
    task: int

    @property
    def known(self) -> bool:
        return self.load.load != "computed"

    def queue_lengths(self, *, layer: int, tokens: int, experts: int, top_k: int) -> tuple[int, ...]:
        """Tokens that each expert of a layer gets: tokens * top_k in all, and no expert a token twice.

        Raises
        ------
        WorkloadError : a load that is still to be computed; a trace without this step, or of other numbers
        """
        load, place = self.load, Place(number=self.number, layer=layer, task=self.task)
        match load.load:
            case "uniform":
                return in_proportion((1.0,) * experts, tokens=tokens, top_k=top_k, place=place)
            case "zipf":
                popularity = tuple(rank**-load.exponent for rank in range(1, experts + 1))
                return drawn(popularity, tokens=tokens, top_k=top_k, seed=load.seed, place=place)
            case "histogram":
                return in_proportion(load.histogram or (), tokens=tokens, top_k=top_k, place=place)
            case "trace":
                return read_trace(load.trace or "").queue_lengths(
                    number=self.number, layer=layer, tokens=tokens, experts=experts, top_k=top_k
                )
            case "computed":
                raise WorkloadError(
                    "routing.load computed: how many tokens an expert gets follows from activations, which nothing "
                    "has computed here; choose uniform, zipf, histogram or trace"
                )

    def __str__(self) -> str:
        return str(self.load)
