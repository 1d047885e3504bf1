"""Which buffers each unit of Edge-MoE reads and writes, and which units pass items on to each other.

A buffer is reached through a master port (`buffers` in the machine's parameters), so this is the block diagram: a unit
is wired to the ports of its buffers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wires:
    """Buffers of a unit."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


TOKENS = ("x", "tmp1", "tmp2", "tmp3", "hidden")

WIRES: dict[str, Wires] = {
    "patch_embed": Wires(reads=("image", "weights"), writes=("x",)),
    "norm_loader": Wires(reads=("weights",)),
    "layernorm": Wires(reads=("x",), writes=("tmp1",)),
    "weight_loader": Wires(reads=("weights",)),
    "linear": Wires(reads=TOKENS, writes=TOKENS),
    "qk": Wires(reads=("tmp2", "tmp3"), writes=("scores", "info")),
    "softmax": Wires(),
    "mv": Wires(reads=("tmp2", "scores", "info"), writes=("tmp1",)),
    "residual_add": Wires(reads=("tmp3", "x"), writes=("x",)),
    "gate": Wires(reads=("tmp1", "weights")),
    "fill": Wires(writes=("tmp3",)),
}
JOINED = (("qk", "softmax"),)
