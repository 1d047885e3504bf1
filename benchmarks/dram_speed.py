"""Speed of the memory player: a million streaming reads, and its ratio to the slow one. AiM's is in aim_speed.py.

    python benchmarks/dram_speed.py

All on one core, in one process; absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.patterns import generate
from hwsim.dram.random_access.player import MemoryPlayer, single_accesses
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.dram.standards.load import load_standard


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    """A million streaming reads through the FR-FCFS controller, and its ratio to the slow memory."""
    standard = load_standard("ddr4_2133")
    where = load_mapping(None, standard, 1)

    def play(requests: int) -> None:
        chunks = generate("stream", where, requests, read_share=1, seed=0)
        MemoryPlayer(where, load_parameters()).play(single_accesses(*chunk) for chunk in chunks)

    play(1)  # compiles
    took = seconds(lambda: play(1_000_000))
    slow = ReferenceMemory(where, load_parameters(), [Master(name="host")])
    slow.offer(0, Run(write=False, address=0, stride=standard.column_bytes, count=300))
    slow_took = seconds(slow.drain)
    print(f"{'streaming reads':16} {1e6 / took:15,.0f} requests/s, 1,000,000 in {took:.2f} s, addresses included")
    print(f"{'slow memory':16} {300 / slow_took:15,.0f} requests/s, ratio {1e6 / took / (300 / slow_took):,.0f}")


if __name__ == "__main__":
    main()
