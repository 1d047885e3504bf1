"""Attention patterns: counts against the pairs written out, kind by kind, and how long counting takes.

python benchmarks/patterns.py [--cases 300] [--seed 1] [--tokens 16384]
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from hwsim.mapping.patterns import (
    After,
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
    parse_pattern,
)

LONGEST = 64  # keys of a compared case; writing its pairs out asks the definition up to 64 x 64 times
DIVISIBLE = (16, 24, 36, 48, 64)  # have windows and segments of many sizes
Draw = Callable[[random.Random, int], Pattern]


def _divisor(rng: random.Random, n: int) -> int:
    return rng.choice([d for d in range(1, n + 1) if n % d == 0])


def _global(rng: random.Random, n_k: int) -> Pattern:
    positions = tuple(sorted(rng.sample(range(n_k), rng.randint(0, min(4, n_k)))))
    return GlobalTokens(count=rng.randint(1, min(4, n_k)), last=rng.randint(0, min(3, n_k)), positions=positions)


def _random_blocks(rng: random.Random, n_k: int) -> Pattern:
    block = rng.randint(1, n_k // 2)
    n_blocks = -(-n_k // block)
    near = rng.randint(0, (n_blocks - 2) // 2)
    return RandomBlocks(
        blocks=rng.randint(1, n_blocks - 2 * near - 1), block=block, seed=rng.randint(0, 99), near=near, first=0, last=0
    )


def _window2d(rng: random.Random, n_k: int) -> Pattern:
    grids = [
        (h, w) for h in range(1, n_k + 1) if n_k % h == 0 for w in range(1, h + 1) if math.gcd(h, n_k // h) % w == 0
    ]
    chosen = rng.choice(sorted({window for _, window in grids}))  # most grids are cut by windows of 1 alone
    height, window = rng.choice([grid for grid in grids if grid[1] == chosen])
    return Window2d(height=height, width=n_k // height, window=window, shift=rng.randrange(window))


def _axial(rng: random.Random, n_k: int) -> Pattern:
    frames = _divisor(rng, n_k)
    height = _divisor(rng, n_k // frames)
    width = n_k // frames // height
    return Axial(frames=frames, height=height, width=width, axis=rng.choice(("rows", "columns", "frames")))


def _strided(rng: random.Random, n_k: int) -> Pattern:
    stride = rng.randint(1, n_k)
    return Strided(stride=stride, offset=rng.randrange(stride))


KINDS: dict[str, Draw] = {
    "full": lambda rng, n_k: Full(),
    "causal": lambda rng, n_k: Causal(),
    "window": lambda rng, n_k: Window(left=rng.randint(0, n_k), right=rng.randint(0, n_k)),
    "window, dilated": lambda rng, n_k: Window(
        left=rng.randint(0, 9), right=rng.randint(0, 9), dilation=rng.randint(2, 9)
    ),
    "block_local": lambda rng, n_k: BlockLocal(
        size=rng.randint(1, n_k), back=rng.randint(0, 3), forward=rng.randint(0, 3)
    ),
    "global": _global,
    "random_blocks": _random_blocks,
    "window2d": _window2d,
    "axial": _axial,
    "strided": _strided,
    "segment": lambda rng, n_k: Segment(size=_divisor(rng, n_k)),
    "cross_segment": lambda rng, n_k: CrossSegment(size=_divisor(rng, n_k)),
    "memory_slots": lambda rng, n_k: MemorySlots(count=rng.randint(1, n_k)),
}


def _any(rng: random.Random, n_k: int) -> Pattern:
    return rng.choice(list(KINDS.values()))(rng, n_k)


def _after(rng: random.Random, n_k: int) -> Pattern:
    count = rng.randint(1, n_k - 2) if n_k > 2 else 0
    return After(count=count, pattern=_any(rng, n_k - count)) if count else _any(rng, n_k)


GROUPS: dict[str, Draw] = {
    **KINDS,
    **{
        f"{kind} & causal": lambda rng, n_k, draw=draw: draw(rng, n_k) & Causal()  # type: ignore[misc]
        for kind, draw in KINDS.items()
    },
    "after": _after,
    "unions of 2": lambda rng, n_k: _any(rng, n_k) | _any(rng, n_k),
    "unions of 3": lambda rng, n_k: _any(rng, n_k) | _after(rng, n_k) | _any(rng, n_k),
    "intersections of 2": lambda rng, n_k: _any(rng, n_k) & _any(rng, n_k),
    "unions & causal": lambda rng, n_k: (_any(rng, n_k) | _any(rng, n_k)) & Causal(),
    "unions & unions": lambda rng, n_k: (_any(rng, n_k) | _any(rng, n_k)) & (_any(rng, n_k) | _after(rng, n_k)),
}

# Long sequences: the patterns of published models.
TIMED = (
    "full",
    "causal",
    "window(4095, 0)",
    "window(256, 256) | global(4)",
    "block_local(64, 1, forward=1) | random_blocks(3, 64, seed=0) | global(64, last=64)",
    "(block_local(64, 1) | global(2)) & causal",
    "window(256, 256, dilation=4) | global(4)",
    "memory_slots(16) | window(1023, 0)",
    "segment(128) | cross_segment(128)",
)


def differences(pattern: Pattern, n_q: int, n_k: int) -> int:
    """How many of the answers `pairs`, `union_keys` and the keys of each query are not what the mask says."""
    mask = pattern.mask(n_q, n_k)
    wrong = int(pattern.pairs(n_q, n_k) != mask.sum()) + int(pattern.union_keys(n_q, n_k) != mask.any(axis=0).sum())
    for row, query in zip(mask, range(n_k - n_q, n_k)):
        listed = [key for span in pattern.keys_of(query, n_k) for key in range(*span)]
        wrong += listed != np.flatnonzero(row).tolist()
    return wrong


def compare(console: Console, cases: int, seed: int) -> int:
    """Print a line a group; return all differences."""
    table = Table(title=f"{cases} cases each of 2 to {LONGEST} keys, seed {seed}", title_justify="left", box=None)
    for name in ("patterns", "cases", "n_q = n_k", "pairs", "differences"):
        table.add_column(name, justify="left" if name == "patterns" else "right")
    total = np.zeros(4, dtype=np.int64)
    for group, draw in GROUPS.items():
        rng = random.Random(f"{seed} {group}")
        counts = np.zeros(4, dtype=np.int64)
        for _ in range(cases):
            n_k = rng.choice((rng.randint(2, LONGEST), rng.choice(DIVISIBLE)))
            n_q = rng.choice((n_k, rng.randint(0, n_k)))
            pattern = draw(rng, n_k)
            counts += (1, n_q == n_k, pattern.pairs(n_q, n_k), differences(pattern, n_q, n_k))
        table.add_row(group, *(f"{count:,}" for count in counts))
        total += counts
    table.add_row("all", *(f"{count:,}" for count in total))
    console.print(table, highlight=False)
    return int(total[-1])


def measure(console: Console, tokens: int) -> None:
    """Print pairs of one head and how long it takes to count them, pairs and seen keys together."""
    table = Table(title=f"{tokens:,} tokens", title_justify="left", box=None)
    for name in ("pattern", "pairs", "of full", "ms"):
        table.add_column(name, justify="left" if name == "pattern" else "right")
    for text in TIMED:
        pattern = parse_pattern(text)
        begun = time.perf_counter()
        pairs = pattern.pairs(tokens, tokens)
        pattern.union_keys(tokens, tokens)
        took = time.perf_counter() - begun
        table.add_row(text, f"{pairs:,}", f"{pairs / tokens**2:.2%}", f"{took * 1e3:.2f}")
    console.print(table, highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=300, help="generated cases a line")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=16_384, help="of the long sequences, a multiple of 128")
    arguments = parser.parse_args()
    console = Console(width=120)
    wrong = compare(console, arguments.cases, arguments.seed)
    console.print()
    measure(console, arguments.tokens)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
