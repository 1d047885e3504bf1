"""Nested mappings as flat ones with dotted keys, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def flatten_once(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`flatten` for what people write, dotted and nested mixed.

    Raises
    ------
    ValueError : a name that is given in both forms
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = flatten_once(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
        twice = next((name for name in inner if name in flat), None)
        if twice:
            raise ValueError(f"{twice} is given twice")
        flat.update(inner)
    return flat


def unflatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flatten`."""
    nested: dict[str, Any] = {}
    for path, value in values.items():
        *parents, key = path.split(".")
        node = nested
        for parent in parents:
            node = node.setdefault(parent, {})
        node[key] = value
    return nested
