"""Names and shapes of a model's tensors in public checkpoints, and which of them an operator of the graph needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import WorkloadError
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import Operator, Role

Tensor = NDArray[np.float32]
Tensors = Mapping[str, Tensor]
Shape = tuple[int, ...]


class Checkpoint(ABC):
    """The names of one form of model.

    Attributes
    ----------
    prefixes : what a name may begin with in a file
    residual : endings of the names of matrices that write into the residual stream
    """

    prefixes: ClassVar[tuple[str, ...]]
    residual: ClassVar[tuple[str, ...]]

    @abstractmethod
    def shapes(self, workload: DecoderWorkload) -> dict[str, Shape]:
        """Name and shape of every tensor that a model needs."""

    @abstractmethod
    def matrix_oi(self, tensors: Tensors, operator: Operator) -> Tensor:
        """The (outputs, inputs) of an operator's matrix."""

    @abstractmethod
    def vector(self, tensors: Tensors, operator: Operator, part: str) -> Tensor:
        """`weight` or `bias` of a norm, `bias` of a matrix."""

    @abstractmethod
    def embedding(self, tensors: Tensors, token: int, position: int) -> NDArray[np.float64]:
        """(d_model,) the input of the first layer."""

    @abstractmethod
    def is_scale(self, name: str) -> bool:
        """Whether a tensor is the scale of a norm."""


class Gpt2Checkpoint(Checkpoint):
    """GPT-2's names; matrices are (inputs, outputs), the vocabulary projection is the embedding `wte`."""

    prefixes = ("transformer.",)
    residual = ("c_proj.weight",)
    modules: ClassVar[dict[Role, str]] = {
        "norm1": "ln_1",
        "qkv": "attn.c_attn",
        "proj": "attn.c_proj",
        "norm2": "ln_2",
        "ffn1": "mlp.c_fc",
        "ffn2": "mlp.c_proj",
    }

    def shapes(self, workload: DecoderWorkload) -> dict[str, Shape]:
        d, width, hidden = (
            workload.model.d_model,
            workload.model.heads * workload.model.head_size,
            workload.model.ff_size,
        )
        needed: dict[str, Shape] = {"wte.weight": (workload.model.vocab, d), "wpe.weight": (workload.model.n_ctx, d)}
        for layer in range(workload.model.layers):
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

    def matrix_oi(self, tensors: Tensors, operator: Operator) -> Tensor:
        if operator.role == "lm_head":
            return tensors["wte.weight"]
        return tensors[f"{self._module(operator)}.weight"].T

    def vector(self, tensors: Tensors, operator: Operator, part: str) -> Tensor:
        return tensors[f"{self._module(operator)}.{part}"]

    def embedding(self, tensors: Tensors, token: int, position: int) -> NDArray[np.float64]:
        return np.asarray(tensors["wte.weight"][token].astype(np.float64) + tensors["wpe.weight"][position])

    def is_scale(self, name: str) -> bool:
        return name.split(".")[-2].startswith("ln_") and name.endswith(".weight")

    def _module(self, operator: Operator) -> str:
        """Role `qkv` in layer 3 is `h.3.attn.c_attn`, the final norm is `ln_f`."""
        if operator.role == "final_norm":
            return "ln_f"
        return f"h.{operator.layer}.{self.modules[_role(operator)]}"


class LlamaCheckpoint(Checkpoint):
    """Llama's names in the public checkpoints; matrices are (outputs, inputs), queries, keys and values apart."""

    prefixes = ("model.",)
    residual = ("o_proj.weight", "down_proj.weight")
    modules: ClassVar[dict[Role, tuple[str, ...]]] = {
        "norm1": ("input_layernorm",),
        "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "proj": ("self_attn.o_proj",),
        "norm2": ("post_attention_layernorm",),
        "gate": ("mlp.gate_proj",),
        "up": ("mlp.up_proj",),
        "ffn2": ("mlp.down_proj",),
    }

    def shapes(self, workload: DecoderWorkload) -> dict[str, Shape]:
        d, size, hidden = workload.model.d_model, workload.model.head_size, workload.model.ff_size
        width, keys = workload.model.heads * size, workload.model.key_heads * size
        needed: dict[str, Shape] = {"embed_tokens.weight": (workload.model.vocab, d)}
        for layer in range(workload.model.layers):
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
        return needed if workload.model.tied_embeddings else {**needed, "lm_head.weight": (workload.model.vocab, d)}

    def matrix_oi(self, tensors: Tensors, operator: Operator) -> Tensor:
        if operator.role == "lm_head":
            return tensors.get("lm_head.weight", tensors["embed_tokens.weight"])
        return np.concatenate([tensors[f"{name}.weight"] for name in self._names(operator)])

    def vector(self, tensors: Tensors, operator: Operator, part: str) -> Tensor:
        (name,) = self._names(operator)
        return tensors[f"{name}.{part}"]

    def embedding(self, tensors: Tensors, token: int, position: int) -> NDArray[np.float64]:
        return np.asarray(tensors["embed_tokens.weight"][token], dtype=np.float64)

    def is_scale(self, name: str) -> bool:
        return name.removesuffix(".weight").endswith("norm")

    def _names(self, operator: Operator) -> tuple[str, ...]:
        """Role `gate` in layer 3 is `layers.3.mlp.gate_proj`; queries, keys and values are three matrices."""
        if operator.role == "final_norm":
            return ("norm",)
        return tuple(f"layers.{operator.layer}.{module}" for module in self.modules[_role(operator)])


def _role(operator: Operator) -> Role:
    if operator.role is None:
        raise WorkloadError(f"{operator.name}: {operator.kind} without a role has no tensor in a checkpoint")
    return operator.role


# Fields that no checkpoint supported here has.
COMMON: dict[str, object] = {
    "qk_norm": "none", "rotary_dim": None, "query_scale": None, "attention_softcap": None, "post_norms": False,
    "block": "sequential", "embedding_scale": None, "lm_head_bias": False, "logit_softcap": None,
    "qkv_bias": None, "proj_bias": None, "mlp_bias": None, "window_rope_theta": None,
}  # fmt: skip
# By family: fields of the workload, and the values that its checkpoints have.
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


def checkpoint_of(workload: DecoderWorkload) -> Checkpoint:
    """The names of a workload's tensors.

    Raises
    ------
    WorkloadError : a form without public checkpoints and without a float64 model here
    """
    checkpoint, form = FORMS[workload.model.family]
    for field, value in {**COMMON, **form}.items():
        if getattr(workload.model, field) != value:
            raise WorkloadError(
                f"{workload.name}: {field} {getattr(workload.model, field)}: a verification of family "
                f"{workload.model.family} knows {field} {value} alone"
            )
    if workload.model.family == "gpt" and workload.model.key_heads != workload.model.heads:
        raise WorkloadError(f"{workload.name}: kv_heads: a verification of family gpt knows no grouped heads")
    return checkpoint
