"""What every model has: a name, a family, the source of its dimensions; and what the compiler asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hwsim.mapping.formats import FormatError, parse_format, parse_tensor_format
from hwsim.mapping.scheme import Scheme

if TYPE_CHECKING:
    from hwsim.mapping.graph import OperatorGraph
    from hwsim.mapping.parallel import Split
    from hwsim.mapping.step import Step
    from hwsim.mapping.workload.run import Run

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Grade = Literal["S", "T", "C", "R", "M", "A"]


# What reads each field of a model that names a number format.
_FORMATS: dict[str, Callable[[str], Any]] = {
    "format": parse_format,
    "weight_format": parse_tensor_format,
    "bias_format": parse_format,
    "input_format": parse_tensor_format,
    "accumulator_format": parse_format,
    "cache_format": parse_tensor_format,
}


class Checked(BaseModel):
    """Values from a file: frozen, nothing unknown, nothing converted."""

    # validators are built for the families that are used, not for all at every start
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class Provenance(Checked):
    """Where the model's dimensions come from; grades as in the documentation (M: remembered, unconfirmed)."""

    grade: Grade
    source: str = Field(max_length=300)
    unsure: tuple[str, ...] = Field(default=(), strict=False, description="fields that the source leaves in doubt")


class Model(Checked, ABC):
    """A model without what is run of it; each family is one file in `mapping/models/`.

    Attributes
    ----------
    run_type : class of the runs of this family
    """

    run_type: ClassVar[type[Run]]

    name: Name
    family: str
    format: str = Field(
        default="bf16",
        description="number format of weights and activations; unless given that of the machine, where it has one of "
        "its own",
    )
    weight_format: str | None = Field(
        default=None,
        description="of the matrices' weights, scales included (w4, int8/channel), in patches, gates and experts too; "
        "`format` unless given",
    )
    bias_format: str | None = Field(default=None, description="of the matrices' biases; `format` unless given")
    input_format: str | None = Field(
        default=None, description="in which matrices take their inputs (int8/token); `format` unless given"
    )
    accumulator_format: str | None = Field(
        default=None, description="of the matrices' running sums; the machine's own unless given"
    )
    cache_format: str | None = Field(
        default=None, description="of keys and values as a cache keeps them; `format` unless given"
    )
    provenance: Provenance

    @model_validator(mode="after")
    def _check_formats(self) -> Self:
        for name, parse in _FORMATS.items():
            text = getattr(self, name)
            try:
                _ = text is None or parse(text)
            except FormatError as cause:
                raise ValueError(f"{name}: {cause}") from None
        return self

    @property
    def scheme(self) -> Scheme:
        """The formats that differ from `format`."""
        given: dict[str, Any] = {name: getattr(self, name) for name in _FORMATS}
        made = {name: None if text is None else _FORMATS[name](text) for name, text in given.items()}
        return Scheme(
            weights=made["weight_format"], biases=made["bias_format"], inputs=made["input_format"],
            accumulator=made["accumulator_format"], cache=made["cache_format"],
        )  # fmt: skip

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Closed-form parameter count of the whole model."""

    @abstractmethod
    def macs(self, step: Step) -> int:
        """Closed-form number of multiply-accumulates in one step of the whole model."""

    @abstractmethod
    def check_run(self, run: Run) -> None:
        """Check that the model can do what a run asks.

        Raises
        ------
        ValueError : says what was found and expected
        """

    def completed(self, run: Run) -> Run:
        """A checked run with what it left to the model filled in."""
        return run

    @abstractmethod
    def graph(self, run: Run, split: Split) -> OperatorGraph:
        """The operators of one step of a run.

        Parameters
        ----------
        split : where the model is one device's share of a larger one, what the device does together with others
        """

    @abstractmethod
    def summary(self) -> str:
        """Its dimensions in a few words, for lists."""
