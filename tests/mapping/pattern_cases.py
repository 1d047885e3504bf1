"""Patterns of every kind that fit a number of keys, for hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

from hypothesis import strategies as st

from hwsim.mapping.patterns import (
    Axial,
    BlockLocal,
    Causal,
    CrossSegment,
    Full,
    GlobalTokens,
    MemorySlots,
    Pattern,
    RandomBlocks,
    Segment,
    Strided,
    Window,
    Window2d,
)

Drawn = st.SearchStrategy[Pattern]
Case = tuple[Pattern, int, int]


def _divisors(n: int) -> st.SearchStrategy[int]:
    return st.sampled_from([d for d in range(1, n + 1) if n % d == 0])


@st.composite
def _global(draw: st.DrawFn, n_k: int) -> Pattern:
    count, last = draw(st.integers(0, min(3, n_k))), draw(st.integers(0, min(2, n_k)))
    positions = draw(st.sets(st.integers(0, n_k - 1), min_size=0 if count or last else 1, max_size=3))
    return GlobalTokens(count=count, last=last, positions=tuple(sorted(positions)))


@st.composite
def _random_blocks(draw: st.DrawFn, n_k: int) -> Pattern:
    block = draw(st.integers(1, n_k // 2))
    n_blocks = -(-n_k // block)
    near, first, last = draw(st.integers(0, 2)), draw(st.integers(0, 1)), draw(st.integers(0, 1))
    most = min(
        sum(first <= key < n_blocks - last and abs(key - query) > near for key in range(n_blocks))
        for query in range(n_blocks)
    )
    if most == 0:  # if only its own block is left out, a block can draw all others
        near = first = last = 0
        most = n_blocks - 1
    return RandomBlocks(
        blocks=draw(st.integers(1, most)),
        block=block,
        seed=draw(st.integers(0, 99)),
        near=near,
        first=first,
        last=last,
    )


@st.composite
def _window2d(draw: st.DrawFn, n_k: int) -> Pattern:
    heights = [height for height in range(1, n_k + 1) if n_k % height == 0]
    height = draw(st.sampled_from(sorted(heights, key=lambda h: -gcd(h, n_k // h))))  # grids of 1 row come less often
    window = draw(_divisors(gcd(height, n_k // height)))
    return Window2d(height=height, width=n_k // height, window=window, shift=draw(st.integers(0, window - 1)))


@st.composite
def _axial(draw: st.DrawFn, n_k: int) -> Pattern:
    frames = draw(_divisors(n_k))
    height = draw(_divisors(n_k // frames))
    axis = draw(st.sampled_from(["rows", "columns", "frames"]))
    return Axial(height=height, width=n_k // frames // height, axis=axis, frames=frames)


@st.composite
def _strided(draw: st.DrawFn, n_k: int) -> Pattern:
    offset = draw(st.integers(0, min(5, n_k - 1)))
    return Strided(stride=draw(st.integers(offset + 1, 7)), offset=offset)


# Each function draws patterns that fit n_k keys.
KINDS: dict[str, Callable[[int], Drawn]] = {
    "full": lambda n_k: st.just(Full()),
    "causal": lambda n_k: st.just(Causal()),
    "window": lambda n_k: st.builds(Window, left=st.integers(0, n_k + 3), right=st.integers(0, n_k + 3)),
    "dilated window": lambda n_k: st.builds(
        Window, left=st.integers(0, 9), right=st.integers(0, 9), dilation=st.integers(2, 7)
    ),
    "block_local": lambda n_k: st.builds(
        BlockLocal, size=st.integers(1, 9), back=st.integers(0, 3), forward=st.integers(0, 3)
    ),
    "global": _global,
    "random_blocks": _random_blocks,
    "window2d": _window2d,
    "axial": _axial,
    "strided": _strided,
    "segment": lambda n_k: st.builds(Segment, size=_divisors(n_k)),
    "cross_segment": lambda n_k: st.builds(CrossSegment, size=_divisors(n_k)),
    "memory_slots": lambda n_k: st.builds(MemorySlots, count=st.integers(1, n_k)),
}

# Numbers with many divisors are drawn often, for grids and segments.
keys = st.one_of(st.integers(2, 30), st.sampled_from([12, 16, 18, 24, 30, 36]))


def plain(n_k: int) -> Drawn:
    """A pattern of any kind."""
    return st.sampled_from(sorted(KINDS)).flatmap(lambda kind: KINDS[kind](n_k))


@st.composite
def case(draw: st.DrawFn, of: Callable[[int], Drawn]) -> Case:
    """A pattern with queries and keys; as many queries as keys in a third of the cases or more."""
    n_k = draw(keys)
    n_q = draw(st.one_of(st.just(n_k), st.integers(0, n_k), st.integers(0, n_k)))
    return draw(of(n_k)), n_q, n_k
