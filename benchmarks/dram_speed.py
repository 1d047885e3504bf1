"""Speed of the GDDR6-AiM trace player: on all-bank traces, on mixed ones, from a file, and against the slow player.

    python benchmarks/dram_speed.py

Commands are given counted once for channels that were played together, and counted for each channel apart. All on
one core, in one process, one after the other; absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hwsim.dram.aim.isa import Instruction, encode
from hwsim.dram.aim.player import AimPlayer, play_file
from hwsim.dram.aim.reference import ReferenceAim
from hwsim.dram.random_access.coalesce import coalesce
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.patterns import generate
from hwsim.dram.random_access.player import MemoryPlayer
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.dram.standards.load import load_standard

STANDARD = load_standard("gddr6_aim", refresh=False)
EVERYONE = 0xFFFFFFFF


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def issued(player: AimPlayer) -> tuple[int, int]:
    """Commands with channels played together counted once, and counted apart."""
    results = player.results()
    apart = sum(sum(result.commands.values()) for result in results)
    kinds = {id(result): result for result in results}  # channels played together share their result
    return sum(sum(result.commands.values()) for result in kinds.values()), apart


def all_banks(rows: int) -> list[Instruction]:
    return [
        Instruction(operation="MAC_ABK", opsize=64, mask=EVERYONE, row=row % STANDARD.rows) for row in range(rows)
    ] + [Instruction(operation="EOC")]


def registers(rounds: int) -> list[Instruction]:
    return [Instruction(operation="RD_MAC", mask=EVERYONE)] * rounds + [Instruction(operation="EOC")]


def single_channels(rounds: int) -> list[Instruction]:
    """Every channel works apart, and half of the work is ordinary accesses in random order."""
    draw = random.Random(0)
    program = []
    for _ in range(rounds):
        name = draw.choice(("MAC_SBK", "WR_SBK"))
        mask, bank, row = 1 << draw.randrange(32), draw.randrange(16), draw.randrange(4)
        program.append(Instruction(operation=name, opsize=8 if name == "MAC_SBK" else 1, mask=mask, bank=bank, row=row))
    return [*program, Instruction(operation="EOC")]


def main() -> None:
    warm = AimPlayer(STANDARD)
    warm.play(encode(registers(1)))
    for name, program in (
        ("all-bank rows", all_banks(200_000)),
        ("register reads", registers(200_000)),
        ("single channels", single_channels(200_000)),
    ):
        encoded = encode(program)
        player = AimPlayer(STANDARD)
        took = seconds(lambda player=player, encoded=encoded: player.play(encoded))  # type: ignore[misc]
        once, apart = issued(player)
        print(f"{name:16} {once / took:15,.0f} commands/s counted once {apart / took:17,.0f} counted apart")

    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "rows.trace"
        lines = "".join(f"AiM MAC_ABK 64 0xffffffff {row}\n" for row in range(STANDARD.rows))
        with trace.open("w") as file:
            for _ in range(200):
                file.write(lines)
            file.write("AiM EOC\n")
        player = AimPlayer(STANDARD)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        took = seconds(lambda: play_file(trace, player))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        once, apart = issued(player)
        size = trace.stat().st_size
        print(f"{'from a file':16} {once / took:15,.0f} commands/s counted once {apart / took:17,.0f} counted apart")
        print(f"{'':16} {size / 1e6:,.0f} MB in {took:.2f} s, memory grew by {grown / 1024:.0f} MiB")

    short = all_banks(20)
    slow = ReferenceAim(STANDARD, 32)
    slow_seconds = seconds(lambda: slow.play(short))
    commands = sum(len(channel.log) for channel in slow.channels)  # it plays each channel apart
    long_player = AimPlayer(STANDARD)
    encoded = encode(all_banks(200_000))
    fast_seconds = seconds(lambda: long_player.play(encoded))
    once, apart = issued(long_player)
    slow_rate = commands / slow_seconds
    print(f"{'slow player':16} {slow_rate:15,.0f} commands/s, each channel played and counted apart")
    ratios = [count / fast_seconds / slow_rate for count in (once, apart)]
    print(f"{'ratio':16} {ratios[0]:15,.0f} counted once {ratios[1]:28,.0f} counted apart")

    memory()


def memory() -> None:
    """A million streaming reads through the FR-FCFS controller, and its ratio to the slow memory."""
    standard = load_standard("ddr4_2133")
    where = load_mapping(None, standard, 1)

    def play(requests: int) -> None:
        chunks = generate("stream", where, requests, read_share=1, seed=0)
        MemoryPlayer(where, load_parameters()).play(coalesce(chunk) for chunk in chunks)

    play(1)  # compiles
    took = seconds(lambda: play(1_000_000))
    slow = ReferenceMemory(where, load_parameters(), [Master(name="host")])
    slow.offer(0, Run(write=False, address=0, stride=standard.column_bytes, count=300))
    slow_took = seconds(slow.drain)
    print(f"{'streaming reads':16} {1e6 / took:15,.0f} requests/s, 1,000,000 in {took:.2f} s, addresses included")
    print(f"{'slow memory':16} {300 / slow_took:15,.0f} requests/s, ratio {1e6 / took / (300 / slow_took):,.0f}")


if __name__ == "__main__":
    main()
