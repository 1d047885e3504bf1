"""What data decides, declared: which experts the tokens of a layer go to, as a distribution, counts or a trace.

Nothing is averaged: a load gives each token of each step and layer its experts, and each expert a whole number of
tokens, the same ones however often and in whatever order they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.step import StepLoad
from hwsim.mapping.workload.model import Checked
from hwsim.mapping.workload.place import Place
from hwsim.mapping.workload.queue_lengths import drawn, in_proportion
from hwsim.mapping.workload.routing_trace import read_trace
from hwsim.mapping.workload.token_experts import Experts, dealt_experts, drawn_experts

Kind = Literal["uniform", "zipf", "histogram", "trace", "computed"]

# The fields that not every kind of load reads: the kinds that do, and the value that says nothing.
_OWN: dict[str, tuple[tuple[Kind, ...], object]] = {
    "seed": (("uniform", "zipf", "histogram", "trace"), 0),
    "exponent": (("zipf",), 1.0),
    "histogram": (("histogram",), None),
    "trace": (("trace",), None),
    "weights": (("computed",), None),
}
ROUNDING = 1e-6  # by which shares may miss 1


class Load(Checked):
    """A group of fields in a run: `routing` for experts."""

    load: Kind = Field(
        default="uniform",
        description="uniform: every expert as many tokens as every other, to within one. zipf: each token draws its "
        "experts, the r-th most popular with a probability of r^-exponent. histogram: in given shares or numbers. "
        "trace: as a file has it. computed: as golden models choose, for machines that have them",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**63 - 1,
        description="of the draws: of how many tokens an expert gets, for zipf, and of which ones, for all that do not "
        "say it (uniform, histogram, a trace of numbers)",
    )
    exponent: float = Field(default=1.0, ge=0, le=10, strict=False, description="of the popularity, for zipf")
    histogram: tuple[float, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=100_000,
        strict=False,
        description="a number an expert, for histogram: shares that add up to 1, or whole numbers of tokens that add "
        "up to the step's tokens x top_k",
    )
    trace: str | None = Field(
        default=None,
        min_length=1,
        description="a CSV file with a heading of `step,layer,expert,tokens` or `step,layer,token,expert`, for trace",
    )

    weights: str | None = Field(
        default=None,
        min_length=1,
        description="of the model and its image, for computed: `random:SEED`, or a folder (docs/weights.md)",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, (kinds, nothing) in _OWN.items():
            if self.load not in kinds and getattr(self, name) != nothing:
                raise ValueError(f"{name} goes with load: {', '.join(kinds)}, and with no other")
            if self.load in kinds and nothing is None and getattr(self, name) is None:
                raise ValueError(f"load: {self.load} needs {'' if name == 'weights' else 'a '}{name}")
        if self.histogram is not None:
            _check_histogram(self.histogram)
        return self

    @property
    def counts(self) -> tuple[int, ...] | None:
        """The histogram as whole numbers of tokens; None where it is of shares, or there is none."""
        if self.histogram is None or _are_shares(self.histogram):
            return None
        return tuple(map(int, self.histogram))

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
            trace = read_trace(self.trace)
            trace.check(experts)
            if self.seed and trace.choices:
                raise ValueError(f"routing.seed {self.seed}: {self.trace} has every token's experts; nothing is drawn")

    def at(self, number: int, task: int = 0) -> StepLoad:
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
            case "computed":
                return f"computed with weights {self.weights}"
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
        load, place = self.load, self._place(layer)
        match load.load:
            case "uniform":
                return in_proportion((1.0,) * experts, tokens=tokens, top_k=top_k, place=place)
            case "zipf":
                return drawn(self._popularity(experts), tokens=tokens, top_k=top_k, seed=load.seed, place=place)
            case "histogram":
                if (counts := load.counts) is None:
                    return in_proportion(load.histogram or (), tokens=tokens, top_k=top_k, place=place)
                return _checked_counts(counts, tokens=tokens, top_k=top_k, place=place)
            case "trace":
                return read_trace(load.trace or "").queue_lengths(
                    number=self.number, layer=layer, tokens=tokens, experts=experts, top_k=top_k
                )
            case "computed":
                raise self._not_computed()

    def token_experts(self, *, layer: int, tokens: int, experts: int, top_k: int) -> Experts:
        """Experts of each token of a layer, so that the queue lengths are as `queue_lengths` says.

        Drawn loads and traces of choices have them; uniform loads, histograms and traces of numbers say how many
        tokens an expert gets, and which ones is drawn by the seed.

        Returns
        -------
        (tokens, top_k), no expert twice in a row; not to be written to

        Raises
        ------
        WorkloadError : as `queue_lengths`; a trace in which a token has more or fewer experts than top_k
        """
        load, place = self.load, self._place(layer)
        if load.load == "zipf":
            return drawn_experts(self._popularity(experts), tokens=tokens, top_k=top_k, seed=load.seed, place=place)
        if load.load == "trace" and (trace := read_trace(load.trace or "")).choices:
            return trace.token_experts(number=self.number, layer=layer, tokens=tokens, experts=experts, top_k=top_k)
        lengths = self.queue_lengths(layer=layer, tokens=tokens, experts=experts, top_k=top_k)
        return dealt_experts(lengths, tokens=tokens, top_k=top_k, seed=load.seed, place=place)

    def _place(self, layer: int) -> Place:
        return Place(number=self.number, layer=layer, task=self.task)

    def _popularity(self, experts: int) -> tuple[float, ...]:
        return tuple(rank**-self.load.exponent for rank in range(1, experts + 1))

    def _not_computed(self) -> WorkloadError:
        return WorkloadError(
            "routing.load computed: how many tokens an expert gets follows from activations, which nothing has "
            "computed here; choose uniform, zipf, histogram or trace"
        )

    def __str__(self) -> str:
        return str(self.load)


def _are_shares(histogram: tuple[float, ...]) -> bool:
    return abs(fsum(histogram) - 1) <= ROUNDING


def _check_histogram(histogram: tuple[float, ...]) -> None:
    """Check that it is of shares or of whole numbers.

    Raises
    ------
    ValueError : it is neither
    """
    if min(histogram) < 0 or not any(histogram):
        raise ValueError("histogram: expected numbers of at least 0, one of them more")
    if not _are_shares(histogram) and not all(number.is_integer() for number in histogram):
        raise ValueError(
            f"histogram: adds up to {fsum(histogram):g}; expected shares that add up to 1, or whole numbers of tokens"
        )


def _checked_counts(counts: tuple[int, ...], *, tokens: int, top_k: int, place: Place) -> tuple[int, ...]:
    """Given queue lengths, after checking that they are possible.

    Raises
    ------
    WorkloadError : they do not add up, or an expert gets more tokens than there are
    """
    where = f"routing.histogram: step {place.number}, layer {place.layer}"
    if sum(counts) != tokens * top_k:
        raise WorkloadError(
            f"{where}: {sum(counts)} tokens in all queues, expected {tokens} x {top_k} = {tokens * top_k} (or shares "
            "that add up to 1)"
        )
    if max(counts) > tokens:
        raise WorkloadError(f"{where}: expert {counts.index(max(counts))} gets {max(counts)} tokens of {tokens}")
    return counts
