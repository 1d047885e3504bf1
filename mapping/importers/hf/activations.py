"""Activation functions by transformers' names."""

from __future__ import annotations

from hwsim.mapping.errors import nearest
from hwsim.mapping.importers.hf.config import Config
from hwsim.mapping.operators.act import ActFunction

ACTIVATIONS: dict[str, ActFunction] = {
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_fast": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "gelu_python_tanh": "gelu",
    "gelu_accurate": "gelu",
    "silu": "silu",
    "swish": "silu",
    "relu": "relu",
    "relu2": "relu2",
    "tanh": "tanh",
}


def activation(config: Config, *names: str, default: str) -> ActFunction:
    """The activation function that a field names.

    Raises
    ------
    ConfigError : one that no operator has
    """
    name = config.text(*names, default=default)
    if name not in ACTIVATIONS:
        raise config.error(names[0], f"no activation {name!r} here{nearest(name, ACTIVATIONS)}")
    return ACTIVATIONS[name]
