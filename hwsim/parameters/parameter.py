"""What a parameter means: its type, unit and range, read from the field of the model that checks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hwsim.parameters.units import Unit

Type = Literal["integer", "number", "boolean", "text", "list"]
_TYPES: dict[Any, Type] = {int: "integer", float: "number", bool: "boolean", str: "text", list: "list"}


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What the entry of a mapping means, where its field can only speak of all entries.

    Attributes
    ----------
    unit : "" for a count
    """

    description: str
    type: Type
    unit: str = ""
    least: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter that can be set.

    Attributes
    ----------
    name : dotted, as `--set` takes it
    unit : "" for a count, a word or a list
    default : the shipped value
    least, greatest : ends of the range, both in it; None where there is none
    above : an end of the range that is not in it
    step : what values are multiples of
    choices : the words that are allowed, where the type is text and not every word is
    nullable : whether `null` is allowed too, for a value that is not given
    """

    name: str
    type: Type
    default: Any
    description: str = ""
    unit: str = ""
    least: float | None = None
    greatest: float | None = None
    above: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = field(default=())
    nullable: bool = False

    def range_text(self) -> str:
        """The range in words, "" where every value of the type is allowed and no other."""
        own = self._own_range()
        return f"{own or self.type}, or null" if self.nullable else own

    def _own_range(self) -> str:
        """The range of values that are given."""
        if self.choices:
            return ", ".join(self.choices)
        parts = []
        if self.above is not None:
            parts.append(f"above {_number(self.above)}")
        if self.least is not None and self.greatest is not None:
            parts.append(f"{_number(self.least)} to {_number(self.greatest)}")
        elif self.least is not None:
            parts.append(f"from {_number(self.least)}")
        elif self.greatest is not None:
            parts.append(f"to {_number(self.greatest)}")
        if self.step is not None:
            parts.append(f"multiples of {_number(self.step)}")
        return ", ".join(parts)


def describe(model: type[BaseModel], name: str, default: Any, meanings: Mapping[str, Meaning]) -> Parameter:
    """The parameter of a dotted name.

    Parameters
    ----------
    model : checks the parameters; a name leads through its fields and those of the models in them
    meanings : dotted name to meaning, for entries of mappings
    """
    own, _, inner = name.partition(".")
    info = model.model_fields[own]
    found = info.annotation
    while inner and isinstance(found, type) and issubclass(found, BaseModel):
        own, _, inner = inner.partition(".")
        info = found.model_fields[own]
        found = info.annotation
    if inner:  # an entry of a mapping
        annotation, metadata = _apart(get_args(found)[1])
    else:
        annotation, metadata = found, tuple(info.metadata)
    annotation, nullable = _without_none(annotation)
    plain = Parameter(
        name=name,
        type=_type_of(annotation),
        default=default,
        description=info.description or "",
        nullable=nullable,
    )
    parameter = _with_constraints(plain, metadata)
    if get_origin(annotation) is Literal:
        parameter = replace(parameter, choices=tuple(map(str, get_args(annotation))))
    meaning = meanings.get(name)
    return replace(parameter, **vars(meaning)) if meaning else parameter


def _apart(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type and what its annotation says about it."""
    if get_origin(annotation) is not Annotated:
        return annotation, ()
    plain, *notes = get_args(annotation)
    metadata = (entry for note in notes for entry in (note.metadata if isinstance(note, FieldInfo) else (note,)))
    return plain, tuple(metadata)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """The type of the values that are given, and whether None may stand in their place: `X | None` is X and True."""
    if get_origin(annotation) is not UnionType or NoneType not in get_args(annotation):
        return annotation, False
    given = [kind for kind in get_args(annotation) if kind is not NoneType]
    return (given[0] if len(given) == 1 else annotation), True


def _type_of(annotation: Any) -> Type:
    """The type of a field's values by name.

    Raises
    ------
    TypeError : a type that no parameter has
    """
    if get_origin(annotation) is Literal:
        return "text"
    plain = get_origin(annotation) or annotation
    if plain not in _TYPES:
        raise TypeError(f"{annotation}: expected one of {', '.join(kind.__name__ for kind in _TYPES)}")
    return _TYPES[plain]


def _with_constraints(parameter: Parameter, metadata: tuple[Any, ...]) -> Parameter:
    for entry in metadata:
        match entry:
            case Ge(ge=int() | float() as least):
                parameter = replace(parameter, least=least)
            case Le(le=int() | float() as greatest):
                parameter = replace(parameter, greatest=greatest)
            case Gt(gt=int() | float() as above):
                parameter = replace(parameter, above=above)
            case MultipleOf(multiple_of=int() | float() as step):
                parameter = replace(parameter, step=step)
            case Unit(symbol=symbol):
                parameter = replace(parameter, unit=symbol)
            case _:
                pass
    return parameter


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
