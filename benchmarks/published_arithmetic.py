"""How the arithmetic of the presets `published` and `rtl` differs, in codes of 22 fraction bits, block by block.

python benchmarks/published_arithmetic.py [--seed 0] [--tokens 129]

Each block gets the same numbers under both presets: draws of the sizes that occur in a vision transformer with layer
norms, so that a difference is the block's own and not one that it was handed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from hwsim.mapping.formats import Fixed
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.exp.golden import exp
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.layernorm.golden import layernorm
from hwsim.rtl.mv.golden import attend, probabilities
from hwsim.rtl.online_softmax.golden import softmax_info
from hwsim.rtl.ports import Codes
from hwsim.rtl.qk_reorder.golden import scores
from hwsim.rtl.topk_gate.golden import choices

VALUE = Fixed(width=32, integer=10)
PRESETS = ("published", "rtl")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Values of one block under both presets, and the exact ones (float64) where they are easily said."""

    name: str
    data: str
    published: Codes
    rtl: Codes
    exact: np.ndarray | None = None

    def row(self) -> list[str]:
        difference = self.published - self.rtl
        errors = ["-", "-"]
        if self.exact is not None:
            exact = self.exact / VALUE.resolution
            errors = [f"{np.abs(codes - exact).max():,.2f}" for codes in (self.published, self.rtl)]
        return [
            self.name,
            self.data,
            f"{difference.size:,}",
            f"{(difference == 0).mean():.2%}",
            f"{np.abs(difference).max():,}",
            f"{difference.mean():+,.3f}",
            *errors,
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=129)
    arguments = parser.parse_args()
    table = Table(box=None)
    names = ("values of", "data", "count", "equal", "largest", "mean", "error published", "error rtl")
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i > 1 else "left")
    for comparison in compare(np.random.default_rng(arguments.seed), arguments.tokens):
        table.add_row(*comparison.row())
    Console(width=160).print(table, highlight=False)


def compare(rng: np.random.Generator, tokens: int) -> Iterator[Comparison]:
    """All blocks whose presets differ in arithmetic."""
    yield from _functions(rng)
    yield from _attention(rng, tokens)
    yield _gate(rng, tokens)
    yield from _norm(rng, tokens)


def _functions(rng: np.random.Generator) -> Iterator[Comparison]:
    x = VALUE.quantise(-rng.uniform(0, 16, 200_000))
    made = {p: exp(BLOCKS["exp"].contract.from_preset(p), x) for p in PRESETS}
    yield Comparison(name="exp", data="-16 to 0", **made, exact=np.exp(x * VALUE.resolution))
    for name, root, low, high in (("reciprocal", 1, 1, 129), ("rsqrt", 2, 2**-8, 16)):
        x = VALUE.quantise(np.exp(rng.uniform(np.log(low), np.log(high), 200_000)))
        made = {p: inverse_root(BLOCKS[name].contract.from_preset(p), x) for p in PRESETS}
        yield Comparison(name=name, data=f"{low:g} to {high}", **made, exact=(x * VALUE.resolution) ** (-1 / root))


def _attention(rng: np.random.Generator, tokens: int) -> Iterator[Comparison]:
    qk, softmax, mv = (
        {p: BLOCKS[n].contract.from_preset(p) for p in PRESETS} for n in ("qk_reorder", "online_softmax", "mv")
    )
    heads, dim = qk["rtl"].heads, qk["rtl"].head_dim
    q, k, v = VALUE.quantise(rng.normal(0, 1, size=(3, heads, tokens, dim)))
    made = {p: scores(qk[p], q[:, :, None], k[:, None]) for p in PRESETS}
    yield Comparison(name="qk_reorder", data="q and k of deviation 1", **made)
    given = made["published"]
    info = {p: softmax_info(softmax[p], given) for p in PRESETS}
    yield Comparison(name="online_softmax: 1/sum", data="those scores", **{p: info[p][0] for p in PRESETS})
    inverse, bias = (part[..., None] for part in info["published"])
    shares = {p: probabilities(mv[p], given, inverse, bias) for p in PRESETS}
    yield Comparison(name="mv: probability", data="those scores and sums", **shares)
    made = {p: attend(mv[p], shares[p], v.transpose(1, 0, 2)) for p in PRESETS}
    yield Comparison(name="mv: weighted value", data="v of deviation 1", **made)


def _gate(rng: np.random.Generator, tokens: int) -> Comparison:
    gates = {p: BLOCKS["topk_gate"].contract.from_preset(p) for p in PRESETS}
    logits = VALUE.quantise(rng.normal(0, 1, size=(tokens, gates["rtl"].experts)))
    made = {p: choices(gates[p], logits)[1] for p in PRESETS}
    return Comparison(name="topk_gate: probability", data="logits of deviation 1", **made)


def _norm(rng: np.random.Generator, tokens: int) -> Iterator[Comparison]:
    norms = {p: BLOCKS["layernorm"].contract.from_preset(p) for p in PRESETS}
    features, weight, bias = norms["rtl"].features, norms["rtl"].weight, norms["rtl"].bias
    scale, shift = weight.quantise(rng.normal(1, 0.2, features)), bias.quantise(rng.normal(0, 0.2, features))
    for deviation in (1.0, 0.03, 0.0):
        x = VALUE.quantise(rng.normal(size=(tokens, 1)) + rng.normal(0, deviation, size=(tokens, features)))
        made = {p: layernorm(norms[p], x, scale, shift) for p in PRESETS}
        yield Comparison(name="layernorm", data=f"tokens of deviation {deviation:g}", **made)


if __name__ == "__main__":
    main()
