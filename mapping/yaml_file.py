"""YAML read for people: every failure is one line that names file, place and reason."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hwsim.mapping.errors import UserError

MAX_BYTES = 1 << 20


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice (plain YAML loaders keep the last one, silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value) and not any(key.tag.endswith(":merge") for key, _ in node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is given twice", node.start_mark)
        return mapping

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float | int:
        """A whole number with an exponent (`1e9`) may stand where an integer is expected."""
        value: float = super().construct_yaml_float(node)
        return int(value) if value.is_integer() and _EXPONENT.fullmatch(node.value) else value


# Numbers as people write them: YAML 1.1 takes `1e9` for text, since it has neither point nor sign.
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]{1,3}")
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+0123456789"))
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def read_mapping(path: Path, error: type[UserError]) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises
    ------
    error : the file cannot be read, is no YAML, or holds something else than a mapping with text keys
    """
    try:
        if path.is_dir():
            raise error(f"{path}: is a folder, expected a YAML file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise error(f"{path}: larger than {MAX_BYTES} bytes, expected a short YAML file")
        document = yaml.load(raw.decode("utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except OSError as cause:
        raise error(f"{path}: cannot be read: {cause.strerror or cause}") from None
    except UnicodeDecodeError:
        raise error(f"{path}: not UTF-8 text, expected YAML") from None
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise error(f"{place}: YAML syntax: {_one_line(str(cause.problem))}") from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError, TypeError) as cause:
        raise error(f"{path}: YAML syntax: {_one_line(str(cause))}") from None
    if not isinstance(document, dict):
        raise error(f"{path}: expected a mapping of names to values, found {type(document).__name__}")
    for key in document:
        if not isinstance(key, str):
            raise error(f"{path}: expected names as keys, found {_short(key)}")
    return document


def parse_value(text: str) -> Any:
    """A value as YAML reads it: `4` is a number, `true` a boolean, `[1, 2]` a list, the rest text.

    Raises
    ------
    ValueError : not YAML
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, OverflowError, TypeError) as cause:
        raise ValueError(_one_line(str(cause))) from None


def first_problem(cause: ValidationError) -> str:
    """The first problem of a validation as `field: what was expected, got what`."""
    problem = cause.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if problem["type"] == "missing":
        return f"{place}: this field is required"
    shown = "" if problem["type"] == "value_error" else f", got {_short(problem['input'])}"
    more = f" (and {cause.error_count() - 1} more)" if cause.error_count() > 1 else ""
    return _one_line(f"{place + ': ' if place else ''}{message}{shown}{more}")


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "unreadable"
