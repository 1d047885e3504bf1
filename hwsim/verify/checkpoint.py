"""How public checkpoints name and shape the tensors of a model, and which of them an operator of the graph needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import WorkloadError
from hwsim.mapping.workload import GptWorkload

Tensor = NDArray[np.float32]
Tensors = Mapping[str, Tensor]
Shape = tuple[int, ...]


class Checkpoint(ABC):
    """The names of one form of model.

    Attributes
    ----------
    prefixes : what a name may begin with in a file
    residual : ends of the names of matrices that write into the residual stream
    """

    prefixes: ClassVar[tuple[str, ...]]
    residual: ClassVar[tuple[str, ...]]

    @abstractmethod
    def shapes(self, workload: GptWorkload) -> dict[str, Shape]:
        """Name and shape of every tensor that a model needs."""

    @abstractmethod
    def matrix_oi(self, tensors: Tensors, operator: str) -> Tensor:
        """The (outputs, inputs) of an operator's matrix."""

    @abstractmethod
    def vector(self, tensors: Tensors, operator: str, part: str) -> Tensor:
        """`weight` or `bias` of a norm, `bias` of a matrix."""

    @abstractmethod
    def embedding(self, tensors: Tensors, token: int, position: int) -> NDArray[np.float64]:
        """(d_model,) what enters the layers."""

    @abstractmethod
    def is_scale(self, name: str) -> bool:
        """Whether a tensor is the scale of a norm."""


class Gpt2Checkpoint(Checkpoint):
    """GPT-2's names; matrices are (inputs, outputs), the vocabulary projection is the embedding `wte`."""

    prefixes = ("transformer.",)
    residual = ("c_proj.weight",)
    modules: ClassVar[dict[str, str]] = {
        "norm1": "ln_1",
        "qkv": "attn.c_attn",
        "proj": "attn.c_proj",
        "norm2": "ln_2",
        "ffn1": "mlp.c_fc",
        "ffn2": "mlp.c_proj",
    }

    def shapes(self, workload: GptWorkload) -> dict[str, Shape]:
        d, width, hidden = workload.d_model, workload.heads * workload.head_size, workload.ff_size
        needed: dict[str, Shape] = {"wte.weight": (workload.vocab, d), "wpe.weight": (workload.n_ctx, d)}
        for layer in range(workload.layers):
            for name, sizes in (
                ("ln_1", (d,)),
                ("attn.c_attn", (d, 3 * width)),
                ("attn.c_proj", (width, d)),
                ("ln_2", (d,)),
                ("mlp.c_fc", (d, hidden)),
                ("mlp.c_proj", (hidden, d)),
            ):
                needed[f"h.{layer}.{name}.weight"] = sizes
                needed[f"h.{layer}.{name}.bias"] = sizes[-1:]
        return {**needed, "ln_f.weight": (d,), "ln_f.bias": (d,)}

    def matrix_oi(self, tensors: Tensors, operator: str) -> Tensor:
        if operator == "lm_head":
            return tensors["wte.weight"]
        return tensors[f"{self._module(operator)}.weight"].T

    def vector(self, tensors: Tensors, operator: str, part: str) -> Tensor:
        return tensors[f"{self._module(operator)}.{part}"]

    def embedding(self, tensors: Tensors, token: int, position: int) -> NDArray[np.float64]:
        return np.asarray(tensors["wte.weight"][token].astype(np.float64) + tensors["wpe.weight"][position])

    def is_scale(self, name: str) -> bool:
        return name.split(".")[-2].startswith("ln_") and name.endswith(".weight")

    def _module(self, operator: str) -> str:
        """`l3.qkv` is `h.3.attn.c_attn`, `norm` is `ln_f`."""
        if operator == "norm":
            return "ln_f"
        block, _, name = operator.partition(".")
        return f"h.{block.removeprefix('l')}.{self.modules[name]}"


class LlamaCheckpoint(Checkpoint):
    """Llama's names in the public checkpoints; matrices are (outputs, inputs), queries, keys and values apart."""

    prefixes = ("model.",)
    residual = ("o_proj.weight", "down_proj.weight")
    modules: ClassVar[dict[str, tuple[str, ...]]] = {
        "norm1": ("input_layernorm",),
        "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "proj": ("self_attn.o_proj",),
        "norm2": ("post_attention_layernorm",),
        "gate": ("mlp.gate_proj",),
        "up": ("mlp.up_proj",),
        "ffn2": ("mlp.down_proj",),
    }

    def shapes(self, workload: GptWorkload) -> dict[str, Shape]:
        d, size, hidden = workload.d_model, workload.head_size, workload.ff_size
        width, keys = workload.heads * size, workload.key_heads * size
        needed: dict[str, Shape] = {"embed_tokens.weight": (workload.vocab, d)}
        for layer in range(workload.layers):
            for name, shape in (
                ("input_layernorm", (d,)),
                ("self_attn.q_proj", (width, d)),
                ("self_attn.k_proj", (keys, d)),
                ("self_attn.v_proj", (keys, d)),
                ("self_attn.o_proj", (d, width)),
                ("post_attention_layernorm", (d,)),
                ("mlp.gate_proj", (hidden, d)),
                ("mlp.up_proj", (hidden, d)),
                ("mlp.down_proj", (d, hidden)),
            ):
                needed[f"layers.{layer}.{name}.weight"] = shape
        needed["norm.weight"] = (d,)
        return needed if workload.tied_embeddings else {**needed, "lm_head.weight": (workload.vocab, d)}

    def matrix_oi(self, tensors: Tensors, operator: str) -> Tensor:
        if operator == "lm_head":
            return tensors.get("lm_head.weight", tensors["embed_tokens.weight"])
        return np.concatenate([tensors[f"{name}.weight"] for name in self._names(operator)])

    def vector(self, tensors: Tensors, operator: str, part: str) -> Tensor:
        (name,) = self._names(operator)
        return tensors[f"{name}.{part}"]

    def embedding(self, tensors: Tensors, token: int, position: int) -> NDArray[np.float64]:
        return np.asarray(tensors["embed_tokens.weight"][token], dtype=np.float64)

    def is_scale(self, name: str) -> bool:
        return name.removesuffix(".weight").endswith("norm")

    def _names(self, operator: str) -> tuple[str, ...]:
        """`l3.gate` is `layers.3.mlp.gate_proj`; queries, keys and values are three matrices."""
        if operator == "norm":
            return ("norm",)
        block, _, name = operator.partition(".")
        return tuple(f"layers.{block.removeprefix('l')}.{module}" for module in self.modules[name])


# What sets a form apart, by family: fields of the workload and the values that its checkpoints have.
FORMS: dict[str, tuple[Checkpoint, dict[str, object]]] = {
    "gpt": (
        Gpt2Checkpoint(),
        {"norm": "layernorm", "position": "learned", "mlp": "plain", "activation": "gelu", "bias": True,
         "tied_embeddings": True},
    ),
    "llama": (
        LlamaCheckpoint(),
        {"norm": "rmsnorm", "position": "rope", "mlp": "gated", "activation": "silu", "bias": False},
    ),
}  # fmt: skip


def checkpoint_of(workload: GptWorkload) -> Checkpoint:
    """The names of a workload's tensors.

    Raises
    ------
    WorkloadError : a form for which there are no public checkpoints, and no float64 model here
    """
    checkpoint, form = FORMS[workload.family]
    for field, value in form.items():
        if getattr(workload, field) != value:
            raise WorkloadError(
                f"{workload.name}: {field} {getattr(workload, field)}: a verification of family {workload.family} "
                f"knows {field} {value} alone"
            )
    if workload.family == "gpt" and workload.key_heads != workload.heads:
        raise WorkloadError(f"{workload.name}: kv_heads: a verification of family gpt knows no grouped heads")
    return checkpoint
