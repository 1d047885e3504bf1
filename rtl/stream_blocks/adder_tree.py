"""A tree of adders within a pipeline (`rtl.adder_tree`)."""

from __future__ import annotations

from amaranth import Value

from hwsim.mapping.formats import Fixed
from hwsim.rtl.adder_tree import tree_stages
from hwsim.rtl.fixed_point import recode
from hwsim.rtl.stream_blocks.pipeline import Pipeline


def add_tree(pipe: Pipeline, terms: list[Value], levels: int, fmt: Fixed) -> Value:
    """The sum of terms of `fmt`, `tree_stages` later. Sums wrap."""
    for _ in range(tree_stages(len(terms), levels)):
        for _ in range(levels):
            terms = _add_pairs(terms, fmt)
        terms = list(vars(pipe.stage(**{f"t{i}": term for i, term in enumerate(terms)})).values())
    return terms[0]


def _add_pairs(terms: list[Value], fmt: Fixed) -> list[Value]:
    """One level; an odd last term waits."""
    sums = [recode(a + b, fmt.fraction, fmt) for a, b in zip(terms[::2], terms[1::2])]
    return sums + terms[2 * len(sums) :]
