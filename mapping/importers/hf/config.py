"""A `config.json` of Hugging Face transformers: its fields by name and type, old names and new ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from hwsim.mapping.errors import ConfigError
from hwsim.mapping.importers.workload_text import one_line

# Far beyond any model, and small enough for every product that a graph takes of them.
MOST = 1_000_000_000
MOST_LAYERS = 10_000


class Config:
    """The fields of a file. It remembers which were asked for, so that those that nobody knows can be told.

    Wherever several names are given, they are names that one field has or had, and null is as good as absent.

    Parameters
    ----------
    origin : what messages call the file
    place : the group of fields within it, with a dot at its end; empty for the whole file
    """

    def __init__(self, fields: Mapping[str, Any], *, origin: str, place: str = "") -> None:
        self.fields = fields
        self.origin = origin
        self.place = place
        self.asked: set[str] = set()
        self.defaults: dict[str, Any] = {}  # what the file does not say, and what the class has for it
        self.groups: dict[str, Config] = {}
        self.comments: dict[str, str] = {}  # on fields of the workload, how they follow from the file

    @classmethod
    def read(cls, text: str, *, origin: str) -> Config:
        """The fields of a file's text.

        Raises
        ------
        ConfigError : not JSON, a field given twice, no fields at all
        """
        try:
            fields = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
        except json.JSONDecodeError as cause:
            raise ConfigError(f"{origin}:{cause.lineno}:{cause.colno}: not JSON: {cause.msg}") from None
        except (ValueError, RecursionError) as cause:  # a field twice, a number of thousands of digits, deep nesting
            raise ConfigError(f"{origin}: not JSON that can be read: {cause}") from None
        if not isinstance(fields, dict):
            raise ConfigError(f"{origin}: expected an object of fields, found {_shown(fields)}")
        return cls(fields, origin=origin)

    def integer(self, *names: str, default: int | None = None, most: int = MOST) -> int:
        """A whole number from 1 to `most`; missing without a default, it is an error."""
        value = self.maybe_integer(*names, most=most)
        return self._default(names, default) if value is None else value

    def maybe_integer(self, *names: str, most: int = MOST, least: int = 1) -> int | None:
        """The same where the file has it."""
        name, value = self._one_of(names)
        if value is None:
            return None
        if not _is_whole(value, least=least, most=most):
            raise self.error(name, f"expected a whole number from {least} to {most}, found {_shown(value)}")
        return value

    def integers(self, name: str, *, count: int, default: int) -> list[int]:
        """`count` whole numbers, from a list of them or one that is all of them."""
        value = self.fields.get(name)
        if not isinstance(value, list):
            return [self.integer(name, default=default)] * count
        self.asked.add(name)
        if len(value) != count or not all(_is_whole(item) for item in value):
            raise self.error(name, f"expected a whole number or a list of {count}, found {_shown(value)}")
        return value

    def sides(self, name: str, *, default: int) -> tuple[int, int]:
        """Height and width, from a list of them or one number that is both."""
        height, width = self.integers(name, count=2, default=default)
        return height, width

    def number(self, *names: str, default: float | None = None) -> float:
        """A number above 0; missing without a default, it is an error."""
        value = self.maybe_number(*names)
        return self._default(names, default) if value is None else value

    def maybe_number(self, *names: str) -> float | None:
        """The same where the file has it."""
        name, value = self._one_of(names)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1e12:
            raise self.error(name, f"expected a number above 0, found {_shown(value)}")
        return value

    def flag(self, *names: str, default: bool) -> bool:
        """True or false."""
        name, value = self._one_of(names)
        if value is None:
            self.defaults[names[0]] = default
            return default
        if not isinstance(value, bool):
            raise self.error(name, f"expected true or false, found {_shown(value)}")
        return value

    def text(self, *names: str, default: str | None = None) -> str:
        """Text; missing without a default, it is an error."""
        value = self.maybe_text(*names)
        return self._default(names, default) if value is None else value

    def maybe_text(self, *names: str) -> str | None:
        """The same where the file has it."""
        name, value = self._one_of(names)
        if value is not None and not isinstance(value, str):
            raise self.error(name, f"expected text, found {_shown(value)}")
        return value

    def maybe_texts(self, name: str) -> tuple[str, ...] | None:
        """A list of texts, where the file has it."""
        name, value = self._one_of((name,))
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(name, f"expected a list of texts, found {_shown(value)}")
        return tuple(value)

    def group(self, name: str) -> Config | None:
        """Fields within a field, where the file has it."""
        name, value = self._one_of((name,))
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(name, f"expected an object of fields, found {_shown(value)}")
        if name not in self.groups:
            self.groups[name] = Config(value, origin=self.origin, place=f"{self.place}{name}.")
        return self.groups[name]

    def ignore(self, *names: str) -> None:
        """Fields that files have and the family's class does not read."""
        self.asked.update(names)

    def refuse(self, name: str, why: str, *, harmless: Iterable[Any] = (None, False)) -> None:
        """A field that changes the graph in a way that cannot be said: an error unless it has a harmless value."""
        _, value = self._one_of((name,))
        if not any(value is allowed or (type(value) is type(allowed) and value == allowed) for allowed in harmless):
            raise self.error(name, f"{_shown(value)}: {why}")

    def error(self, name: str, message: str) -> ConfigError:
        """What is wrong with a field, to be raised."""
        return ConfigError(f"{self.origin}: {one_line(f'{self.place}{name}: {message}')}")

    def _one_of(self, names: tuple[str, ...]) -> tuple[str, Any]:
        """The first of a field's names that the file has, with its value; all that it has must agree."""
        self.asked.update(names)
        given = [(name, self.fields[name]) for name in names if self.fields.get(name) is not None]
        if not given:
            return names[0], None
        (first, chosen), *others = given
        for name, value in others:
            if value != chosen:
                raise self.error(name, f"{_shown(value)} contradicts {self.place}{first}, which is {_shown(chosen)}")
        return first, chosen

    def _default(self, names: tuple[str, ...], default: Any) -> Any:
        if default is None:
            others = f" (also known as {', '.join(names[1:])})" if len(names) > 1 else ""
            raise self.error(names[0], f"this field is missing{others}")
        self.defaults[names[0]] = default
        return default


def _is_whole(value: Any, *, least: int = 1, most: int = MOST) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    return fields


def _no_constant(text: str) -> float:
    """JSON has no infinity, but Python writes one: the limit of a time step that has none."""
    return float(text)


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value)
    except ValueError:  # a number of thousands of digits
        text = "a number too long to print"
    return text if len(text) <= 60 else text[:57] + "..."
