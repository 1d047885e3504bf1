"""Windows of attention, for all layers or layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hwsim.mapping.importers.hf.config import Config

T = TypeVar("T")

FULL, SLIDING = "full_attention", "sliding_attention"


def sliding_window(config: Config, usual: int | None) -> int | None:
    """Keys that a query sees, its own included; null in a file means all, a missing field the `usual` number."""
    names = ("sliding_window", "sliding_window_size")
    if "sliding_window" in config.fields or usual is None:
        return config.maybe_integer(*names)
    return config.integer(*names, default=usual)


def layer_types(config: Config, layers: int, otherwise: Sequence[str]) -> Sequence[str]:
    """Whether each layer sees everything or has a window.

    Parameters
    ----------
    otherwise : what they are where the file does not say

    Raises
    ------
    ConfigError : as many as there are no layers, a type that neither is
    """
    types = config.maybe_texts("layer_types")
    if types is None:
        return otherwise
    if len(types) != layers:
        raise config.error("layer_types", f"{len(types)} of them for num_hidden_layers {layers}")
    other = [kind for kind in types if kind not in (FULL, SLIDING)]
    if other:
        raise config.error("layer_types", f"expected {FULL} or {SLIDING}, found {other[0]!r}")
    return types


def windows(config: Config, types: Sequence[str], window: int | None) -> dict[str, Any]:
    """The workload's `attention`, and `window` or `windows`.

    Parameters
    ----------
    window : keys that a query sees in layers with a window, its own included

    Raises
    ------
    ConfigError : layers with a window, and no window
    """
    if SLIDING not in types:
        return {}
    if window is None:
        raise config.error(
            "layer_types", f"{types.count(SLIDING)} layers have a window, but sliding_window is null or off"
        )
    before = window - 1
    note = f"sliding_window {window} counts the query's own key"
    if FULL not in types:
        config.comments["window"] = note
        return {"attention": "window", "window": before}
    config.comments["windows"] = f"{note}; {types.count(SLIDING)} of {len(types)} layers have it"
    cycle = shortest_cycle([before if kind == SLIDING else None for kind in types])
    return {"attention": "window", "windows": cycle}


def shortest_cycle(values: list[T]) -> list[T]:
    """The fewest first values that give them all, when they are gone through over again."""
    for length in range(1, len(values)):
        if all(value == values[index % length] for index, value in enumerate(values)):
            return values[:length]
    return values
