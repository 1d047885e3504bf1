"""Rotary positions: bases of wavelengths and the part of a head that turns, by old names and new ones."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.config import Config

# Ways to stretch positions: they change the angles, which are tables, and no operator.
STRETCHES = frozenset({"default", "linear", "dynamic", "yarn", "longrope", "su", "llama3", "proportional"})
# What they take, beside what is read here.
STRETCH_FIELDS = frozenset(
    {"type", "rope_type", "factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor",
     "short_factor", "long_factor", "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim",
     "truncate", "short_mscale", "long_mscale"}
)  # fmt: skip
LAYER_TYPES = ("full_attention", "sliding_attention")


def theta(config: Config, *old: str, default: float = 10_000.0) -> float:
    """Base of the wavelengths: of `rope_parameters`, or of a field of its own in old files.

    Raises
    ------
    ConfigError : two that contradict each other; a group that has one for each layer type
    """
    group = _group(config)
    if group is not None and any(name in group.fields for name in LAYER_TYPES):
        raise config.error("rope_parameters", "one for each layer type, which this family has not")
    return _theta(config, group, old or ("rope_theta",), default)


def thetas_by_layer_type(config: Config, *, full: tuple[str, float], sliding: tuple[str, float]) -> tuple[float, float]:
    """Bases of the wavelengths in layers that see everything and in those with a window.

    Parameters
    ----------
    full, sliding : the field that old files have for it, and what it is where the file does not say

    Raises
    ------
    ConfigError : two that contradict each other
    """
    group = _group(config)
    if group is not None and any(name in group.fields for name in LAYER_TYPES):
        of_full, of_sliding = (group.group(name) for name in LAYER_TYPES)
    else:  # old files: one group for layers that see everything, and a field for the others
        of_full, of_sliding = group, None
    return _theta(config, of_full, full[:1], full[1]), _theta(config, of_sliding, sliding[:1], sliding[1])


def rotary(config: Config, head_size: int, *old: str, default: float) -> dict[str, Any]:
    """The workload's `rotary_dim`, where not all of a head turns.

    Raises
    ------
    ConfigError : a share of more than the whole; two that contradict each other
    """
    group = _group(config)
    new = group.maybe_number("partial_rotary_factor") if group is not None else None
    name = (old or ("partial_rotary_factor",))[0]
    share = config.maybe_number("partial_rotary_factor", *old)
    if new is not None and share is not None and new != share:
        raise config.error(name, f"{share:g} contradicts rope_parameters.partial_rotary_factor, which is {new:g}")
    share = share or new or config.number(name, default=default)
    if share > 1:
        raise config.error(name, f"expected a share of a head, at most 1, found {share:g}")
    turned = int(head_size * share)
    if turned == head_size:
        return {}
    config.comments["rotary_dim"] = f"{share:g} of {head_size}"
    return {"rotary_dim": turned}


def refuse_rotary(config: Config) -> None:
    """Check that all of a head turns, for families that know nothing else.

    Raises
    ------
    ConfigError : a part of it does
    """
    for part in (config, _group(config)):
        if part is not None:
            part.refuse("partial_rotary_factor", "heads of this family turn as a whole", harmless=(None, 1, 1.0))


def _group(config: Config) -> Config | None:
    """The group of today's files, or that which old ones have for stretching alone."""
    new, old = config.group("rope_parameters"), config.group("rope_scaling")
    if new is not None and old is not None and new.fields != old.fields:
        raise config.error("rope_scaling", "contradicts rope_parameters, which has it now")
    return new or old


def _theta(config: Config, group: Config | None, names: tuple[str, ...], default: float) -> float:
    if group is not None:
        _check(group)
    new = group.maybe_number("rope_theta") if group is not None else None
    old = config.maybe_number(*names)
    if new is not None and old is not None and new != old:
        assert group is not None
        raise config.error(names[0], f"{old:g} contradicts {group.place}rope_theta, which is {new:g}")
    return old or new or config.number(names[0], default=default)


def _check(group: Config) -> None:
    """Check that positions are stretched in a way that leaves the operators alone."""
    kind = group.text("rope_type", "type", default="default")
    if kind not in STRETCHES:
        raise group.error("rope_type", f"no way {kind!r} to stretch positions is known here")
    group.asked |= STRETCH_FIELDS
