"""Heads of attention, and what must divide what."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.config import Config


def heads(config: Config, *, grouped: bool = True, head_dim: int | None = None) -> dict[str, Any]:
    """The workload's `d_model`, `heads`, `kv_heads` and `head_dim`, checked.

    Parameters
    ----------
    grouped : whether the family may have fewer heads of keys and values
    head_dim : size of a head where the class has one that does not follow from the width

    Raises
    ------
    ConfigError : heads that do not divide the width where the file has no head_dim; heads of keys that do not divide
        those of queries
    """
    width = config.integer("hidden_size", "n_embd")
    number = config.integer("num_attention_heads", "n_head")
    shared = config.maybe_integer("num_key_value_heads") if grouped else None
    size = config.maybe_integer("head_dim")
    if size is None and head_dim is not None:
        size = config.integer("head_dim", default=head_dim)
    if size is None and width % number:
        raise config.error(
            "num_attention_heads", f"{number} heads do not divide hidden_size {width}, and there is no head_dim"
        )
    if shared is not None and number % shared:
        raise config.error("num_key_value_heads", f"{shared} do not divide num_attention_heads {number}")
    fields = {"d_model": width, "heads": number}
    if shared is not None and shared != number:
        fields["kv_heads"] = shared
    if size is not None and size * number != width:
        fields["head_dim"] = size
    return fields


def head_size(fields: dict[str, Any]) -> int:
    """Elements of a head by a workload's fields."""
    return int(fields.get("head_dim") or fields["d_model"] // fields["heads"])
