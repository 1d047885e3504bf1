"""Speed of SWAT's player of rows: 12 layers of 12 heads of 16,384 rows in both modes, beside the block diagram.

    python benchmarks/swat_rows.py [--rows 16384] [--heads 144]

Each figure is the least processor time of three plays after one that compiles: the player alone, on a window of 512
keys, with the static arrays of a head made before. The block diagram plays one head of 512 rows with the memory itself.
All on one core; absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from hwsim.machines.swat import MACHINE
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.events.player import EventPlayer
from hwsim.machines.swat.lower import free_loads
from hwsim.machines.swat.rows.head import make_head
from hwsim.machines.swat.rows.player import Heads, Played, RowPlayer
from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.patterns import Window

PLAYS = 3
SMALL = 512  # rows of the block diagram's run


def window_heads(design: Design, rows: int, count: int) -> Heads:
    cores = design.spec.cores
    pattern = Window(left=cores // 2, right=cores // 2 - 1)
    plan = compile_pattern(pattern, rows, rows, cores=cores, loads=free_loads(design))
    each, last = (
        make_head(plan, design.layout, prologue="hidden", free_loads=free_loads(design), following=following)
        for following in (True, False)
    )
    return Heads(each=each, last=last, count=count)


def least(play: Callable[[], Played]) -> tuple[float, Played]:
    """Processor time of the quickest of some plays, and what it gave."""
    played = play()
    times = []
    for _ in range(PLAYS):
        begin = time.process_time()
        played = play()
        times.append(time.process_time() - begin)
    return min(times), played


def measure(player: Callable[[Design], Any], mode: str, rows: int, count: int) -> float:
    """Print a line; return seconds a row."""
    spec = MACHINE.spec_file.load(None, {"mode": mode})
    design = Design.built(spec)
    heads = window_heads(design, rows, count)
    took, played = least(lambda: player(design).play(heads, 0))
    cycles = spec.time_base.clocks["fabric"].edge(played.ended)
    each = took / (rows * count)
    print(f"{player.__name__:12} {mode:9} {rows * count:>10,} {cycles:>13,} {took:9.3f} {each * 1e9:11,.1f}")
    return each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=16_384)
    parser.add_argument("--heads", type=int, default=144, help="of all layers")
    arguments = parser.parse_args()
    print(f"{'player':12} {'mode':9} {'rows':>10} {'cycles':>13} {'s':>9} {'ns a row':>11}")
    each = {mode: measure(RowPlayer, mode, arguments.rows, arguments.heads) for mode in ("lockstep", "elastic")}
    slow = measure(EventPlayer, "elastic", SMALL, 1)
    print(f"\na row takes the block diagram {slow / each['elastic']:,.0f} times as long as the player")


if __name__ == "__main__":
    main()
