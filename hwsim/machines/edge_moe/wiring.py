"""Which buffers each unit of Edge-MoE reads and writes, and which units pass items on to each other.

A buffer is reached through a master port (`buffers` in the machine's parameters), so this is the block diagram: a unit
is wired to the ports of its buffers.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.machines.edge_moe.design import Design


@dataclass(frozen=True, kw_only=True)
class Wires:
    """Buffers of a unit."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


TOKENS = ("x", "tmp1", "tmp2", "tmp3", "hidden")


def wires(design: Design) -> dict[str, Wires]:
    """The wires of each unit of a design."""
    found = dict(WIRES)
    for shape in design.target.shapes:
        found |= {shape.unit: Wires(reads=TOKENS, writes=TOKENS), shape.loader: Wires(reads=("weights",))}
    if not design.single_pass:
        found["qk"] = Wires(reads=("tmp2", "tmp3"), writes=("scores",))
        found["softmax"] = Wires(reads=("scores", "info"), writes=("scores", "info"))
        found["mv"] = Wires(reads=("tmp2", "scores"), writes=("tmp1",))
    return found


def joined(design: Design) -> tuple[tuple[str, str], ...]:
    """Pairs of units of which the first passes items on to the second."""
    return (("qk", "softmax"),) if design.single_pass else ()


WIRES: dict[str, Wires] = {
    "patch_embed": Wires(reads=("image", "weights"), writes=("x",)),
    "norm_loader": Wires(reads=("weights",)),
    "layernorm": Wires(reads=("x",), writes=("tmp1",)),
    "qk": Wires(reads=("tmp2", "tmp3"), writes=("scores", "info")),
    "softmax": Wires(),
    "mv": Wires(reads=("tmp2", "scores", "info"), writes=("tmp1",)),
    "residual_add": Wires(reads=("tmp3", "x"), writes=("x",)),
    "gate": Wires(reads=("tmp1", "weights")),
    "fill": Wires(writes=("tmp3",)),
}
