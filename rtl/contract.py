"""The contract of a hardware block: its parameters, and the one place where its timing is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

from hwsim.mapping.formats import Fixed, Format, FormatError, parse_format
from hwsim.rtl.ports import Port

PROVENANCE = ("preset", "source", "memory_stages")  # fields of a contract that are no parameters of its block


class ContractError(ValueError):
    """An invalid parameter of a block: `block: parameter must ...`, or `block: what is wrong`."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The resources of a block: counts of units, and bytes of memory.

    Attributes
    ----------
    elsewhere : resources on a part without UltraRAM, if they differ
    """

    adders: int = 0
    multipliers: int = 0
    sram_bytes: int = 0
    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram36: int = 0
    uram: int = 0
    elsewhere: Resources | None = field(default=None, compare=False)

    @property
    def without_uram(self) -> Resources:
        """Resources on a part without UltraRAM."""
        return self.elsewhere or self

    def __add__(self, other: Resources) -> Resources:
        sums = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        differ = self.elsewhere or other.elsewhere
        return Resources(**sums, elsewhere=self.without_uram + other.without_uram if differ else None)

    def __mul__(self, count: int) -> Resources:
        products = {name: getattr(self, name) * count for name in _COUNTS}
        return Resources(**products, elsewhere=self.elsewhere * count if self.elsewhere else None)


_COUNTS = tuple(f.name for f in fields(Resources) if f.name != "elsewhere")


@dataclass(frozen=True, kw_only=True)
class Contract(ABC):
    """Base of all contracts.

    The golden model and the RTL take a contract as their parameters; the simulator charges `cycles`; tests prove
    that the three agree for the preset `rtl`.

    Attributes
    ----------
    presets : sets of the same parameters, such as `published` (what a paper states) and `rtl` (what our RTL has)
    choices : of each parameter that is a word, the words that it may be
    preset : the set that this contract was made from, with or without changes
    source : where the timing comes from
    memory_stages : of parameters that count clock edges, how many of them are a latency of the memory that an HLS tool
        assumed; a machine that models its memory charges `beside_memory()`
    """

    block: ClassVar[str]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]]
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    preset: str = "own"
    source: str = "no source given"
    memory_stages: Mapping[str, int] = field(default_factory=dict, hash=False)

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """A contract from a preset, with some parameters replaced.

        What a preset says about memory latency within a parameter holds for its own value only: a caller who replaces
        the value states a depth without memory.

        Raises
        ------
        ContractError : no such preset or parameter, a value out of range
        """
        if name not in cls.presets:
            raise ContractError(f"{cls.block}: no preset {name!r}; there are {', '.join(cls.presets)}")
        known = {f.name for f in fields(cls)}
        for key in overrides:
            if key not in known:
                raise ContractError(f"{cls.block}: no parameter {key!r}; there are {', '.join(sorted(known))}")
        own = cls.presets[name]
        of_memory = own.get("memory_stages", {})
        kept = {p: stages for p, stages in of_memory.items() if overrides.get(p, own[p]) == own[p]}
        return cls(**{"preset": name, **own, "memory_stages": kept, **overrides})

    @classmethod
    def from_text(cls, preset: str, settings: Mapping[str, str]) -> Self:
        """A contract from a preset and parameters as text, as `parameters` and a command line give them.

        Raises
        ------
        ContractError : no such parameter, or a text that is not a value of it
        """
        base = cls.from_preset(preset)
        known = base.parameters()
        changes: dict[str, Any] = {}
        for name, text in settings.items():
            if name not in known:
                raise ContractError(f"{cls.block}: no parameter {name!r}; there are {', '.join(known)}")
            changes[name] = _parse(f"{cls.block}: {name}", text, getattr(base, name))
        return cls.from_preset(preset, **changes)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any], preset: str = "rtl") -> Self:
        """The contract that a preset and `parameters` describe, for instance parameters read from JSON.

        Raises
        ------
        ContractError : no such preset or parameter, or an invalid value
        """
        texts = {k: str(value).lower() if isinstance(value, bool) else str(value) for k, value in parameters.items()}
        return cls.from_text(preset, texts)

    @property
    def ports(self) -> tuple[Port, ...]:
        """The streams of the block; none for a block without RTL."""
        return ()

    @property
    def proven(self) -> bool:
        """Whether our RTL is proven to take exactly the cycles that this contract states."""
        return self.preset == "rtl" and "rtl" in self.presets

    def beside_memory(self) -> Self:
        """This contract without the memory latency within its depths, for a machine whose ports supply that latency.

        Raises
        ------
        ContractError : a parameter is smaller than the memory latency said to be within it
        """
        for name, stages in self.memory_stages.items():
            if not 0 <= stages <= getattr(self, name):
                raise ContractError(
                    f"{self.block}: {name} must hold its {stages} stages of memory latency, got {getattr(self, name)}"
                )
        left = {name: getattr(self, name) - stages for name, stages in self.memory_stages.items()}
        return replace(self, **left, memory_stages={})

    @property
    def unread(self) -> frozenset[str]:
        """Parameters without effect: another parameter chooses an arithmetic that has no use for them."""
        return frozenset()

    def parameters(self) -> dict[str, Any]:
        """The parameters by name, formats as text."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in PROVENANCE}
        return {name: value if isinstance(value, int | float | bool) else str(value) for name, value in own.items()}

    @abstractmethod
    def cycles(self, work: Any) -> int:
        """Cycles for `work`, in the block's unit of work, on an idle block that is never stalled.

        The count is of clock periods, from the period whose edge accepts the first beat of any input stream to the
        period whose edge delivers the last beat of any output stream, both included. A block that passes one beat
        through wires takes 1, through one register 2. Never stalled means that every input stream is valid until its
        last beat is taken and every output stream is ready. Work without output takes 0.
        """

    def backlog(self, work: Any) -> Mapping[str, int]:
        """Beats of input streams that are taken while the last of the output streams is never ready.

        This shows depths of queues that do not affect the cycles of a block that is never stalled. A block without
        queues states none.
        """
        return {}

    @abstractmethod
    def resources(self) -> Resources:
        """Resources of the block."""

    def require_range(self, name: str, low: int, high: int) -> None:
        """Check one whole-number parameter.

        Raises
        ------
        ContractError : it is not an integer, or lies outside low..high
        """
        value = getattr(self, name)
        if not isinstance(value, int):
            raise ContractError(f"{self.block}: {name} must be an integer, got {value!r}")
        if not low <= value <= high:
            raise ContractError(f"{self.block}: {name} must be {low} to {high}, got {value}")

    def require_fixed(self, name: str) -> None:
        """Check one parameter that is a fixed-point format.

        Raises
        ------
        ContractError : it is a format of another kind
        """
        value = getattr(self, name)
        if not isinstance(value, Fixed):
            raise ContractError(f"{self.block}: {name} must be a fixed-point format, got {value}")

    def require_choice(self, name: str) -> None:
        """Check one parameter that is a word.

        Raises
        ------
        ContractError : it is none of its `choices`
        """
        value, words = getattr(self, name), self.choices[name]
        if value not in words:
            raise ContractError(f"{self.block}: {name} must be {' or '.join(words)}, got {value!r}")

    def require_floor_and_wrap(self, name: str) -> None:
        """Check the fixed-point format of a sum: it must floor and wrap, so that the order of addition does not matter.

        Raises
        ------
        ContractError : it rounds or saturates
        """
        value = getattr(self, name)
        if (value.rounding, value.overflow) != ("floor", "wrap"):
            raise ContractError(f"{self.block}: {name} must floor and wrap, got {value}")


@contextmanager
def part_of(block: str, **names: str) -> Iterator[None]:
    """Context in which a part of `block` is made: an invalid parameter of the part is reported as the block's.

    A user who sets a parameter of a block sees the name of that parameter in an error, not the name of the part's.

    Parameters
    ----------
    names : the block's name of a parameter of the part, if the two differ

    Raises
    ------
    ContractError : the part's error with the block's names, or a format needed by the part that does not exist
    """
    try:
        yield
    except ContractError as error:
        _, _, said = str(error).partition(": ")
        parameter, space, rest = said.partition(" ")
        raise ContractError(f"{block}: {names.get(parameter, parameter)}{space}{rest}") from None
    except FormatError as error:
        raise ContractError(f"{block}: {error} in a format that follows from its own") from None


def _parse(where: str, text: str, current: Any) -> Any:
    """`text` as a value of the type of `current`."""
    if isinstance(current, Format):
        try:
            return parse_format(text)
        except FormatError as error:
            raise ContractError(f"{where}: {error}") from None
    if isinstance(current, bool):
        if text not in ("true", "false"):
            raise ContractError(f"{where} must be true or false, got {text!r}")
        return text == "true"
    if isinstance(current, int):
        try:
            return int(text)
        except ValueError:
            raise ContractError(f"{where} must be an integer, got {text!r}") from None
    return text
