"""Speed of the GDDR6-AiM trace player: of traces, of what it remembers, and of the first play of a process.

    python benchmarks/aim_speed.py [--tokens 256]

Commands are given counted once for channels that were played together, and counted for each channel apart. Ratios
compare with the way before in the same run: with the player that plays everything, and with compiled code that numba
itself loads from its cache. All on one core, one after the other; absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from hwsim.dram.aim.isa import Instruction, encode
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.player import AimPlayer
from hwsim.dram.aim.reference import ReferenceAim
from hwsim.dram.aim.text import line_of
from hwsim.dram.aim.trace import Limits
from hwsim.dram.aim.trace_file import read_file
from hwsim.dram.aim.trace_player import TracePlayer, play_file
from hwsim.pipeline import load_workload, run_in_detail

STANDARD = load_aim()
EVERYONE = 0xFFFFFFFF
EOC = Instruction(operation="EOC")
PLAYS = 5  # of each process; the first is given, and the fastest of the others

PROCESS = """
import json, sys, time
begin = time.perf_counter()
from pathlib import Path
from hwsim.dram.native.function import CompiledFunction
from hwsim.replay.aim import play_trace
if sys.argv[2] == "numba":
    CompiledFunction._prepare = lambda self, types: self._through_numba()
times = [time.perf_counter() - begin]
for _ in range(int(sys.argv[3])):
    begin = time.perf_counter()
    cycles = play_trace(Path(sys.argv[1]), 32).cycles
    times.append(time.perf_counter() - begin)
print(json.dumps([cycles, *times]))
"""


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def issued(player: AimPlayer | TracePlayer) -> tuple[int, int]:
    """Commands with channels played together counted once, and counted apart."""
    results = player.results()
    apart = sum(sum(result.commands.values()) for result in results)
    kinds = {str(result): result for result in results}  # channels played together have equal results
    return sum(sum(result.commands.values()) for result in kinds.values()), apart


def all_banks(rows: int) -> list[Instruction]:
    return [
        Instruction(operation="MAC_ABK", opsize=64, mask=EVERYONE, row=row % STANDARD.rows) for row in range(rows)
    ] + [EOC]


def registers(rounds: int) -> list[Instruction]:
    return [Instruction(operation="RD_MAC", mask=EVERYONE)] * rounds + [EOC]


def single_channels(rounds: int) -> list[Instruction]:
    """Every channel works apart, and half of the work is ordinary accesses in random order."""
    draw = random.Random(0)
    program = []
    for _ in range(rounds):
        name = draw.choice(("MAC_SBK", "WR_SBK"))
        mask, bank, row = 1 << draw.randrange(32), draw.randrange(16), draw.randrange(4)
        program.append(Instruction(operation=name, opsize=8 if name == "MAC_SBK" else 1, mask=mask, bank=bank, row=row))
    return [*program, EOC]


def write(path: Path, program: Iterable[Instruction]) -> Path:
    path.write_text("".join(f"{line_of(instruction)}\n" for instruction in program))
    return path


def programs() -> None:
    """Commands a second of programs in memory."""
    AimPlayer(STANDARD).play(encode(registers(1)))  # compiles, if no code is kept
    for name, program in (
        ("all-bank rows", all_banks(200_000)),
        ("register reads", registers(200_000)),
        ("single channels", single_channels(200_000)),
    ):
        encoded = encode(program)
        player = AimPlayer(STANDARD)
        took = seconds(lambda player=player, encoded=encoded: player.play(encoded))  # type: ignore[misc]
        once, apart = issued(player)
        print(f"{name:18} {once / took:15,.0f} commands/s counted once {apart / took:17,.0f} counted apart")


def long_file(folder: Path) -> None:
    """A file of rows without barriers, which is read in chunks and never remembered."""
    trace = folder / "rows.trace"
    lines = "".join(f"{line_of(instruction)}\n" for instruction in all_banks(STANDARD.rows)[:-1])
    with trace.open("w") as file:
        for _ in range(200):
            file.write(lines)
        file.write("AiM EOC\n")
    player = TracePlayer(STANDARD, 32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = seconds(lambda: play_file(trace, player))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    once, apart = issued(player)
    size = trace.stat().st_size
    print(f"{'from a file':18} {once / took:15,.0f} commands/s counted once {apart / took:17,.0f} counted apart")
    print(f"{'':18} {size / 1e6:,.0f} MB in {took:.2f} s, memory grew by {grown / 1024:.0f} MiB")


def slow_player() -> None:
    """The ratio to the slow player, which plays each channel apart."""
    slow = ReferenceAim(STANDARD, 32)
    slow_rate = 1 / seconds(lambda: slow.play(all_banks(20)))
    slow_rate *= sum(len(channel.log) for channel in slow.channels)
    player, encoded = AimPlayer(STANDARD), encode(all_banks(200_000))
    took = seconds(lambda: player.play(encoded))
    ratios = [count / took / slow_rate for count in issued(player)]
    print(f"{'slow player':18} {slow_rate:15,.0f} commands/s, each channel played and counted apart")
    print(f"{'ratio':18} {ratios[0]:15,.0f} counted once {ratios[1]:28,.0f} counted apart")


def remembered(folder: Path, tokens: int) -> None:
    """The trace of gpt2 with and without remembering what repeats."""
    trace = folder / "gpt2.trace"
    run_in_detail(load_workload("gpt2", tokens=tokens), "aim", {}, emit=trace)
    size = trace.stat().st_size / 1e6
    reading = seconds(lambda: list(read_file(trace, Limits.of(STANDARD, 32))))
    everything, remembering = AimPlayer(STANDARD), TracePlayer(STANDARD, 32)
    slow, fast = (seconds(lambda player=player: play_file(trace, player)) for player in (everything, remembering))  # type: ignore[misc]
    assert (everything.cycle, everything.results()) == (remembering.cycle, remembering.results())
    played, repeated = remembering.player.played, remembering.player.repeated
    print(f"{'gpt2':18} {tokens} tokens, {size:,.1f} MB: everything played {slow:.2f} s, with memory {fast:.2f} s")
    print(
        f"{'':18} ratio {slow / fast:.1f}; {played:,} pieces played, {repeated:,} known; reading {reading:.2f} s of it"
    )


def first_play(folder: Path) -> None:
    """The first play of macab_1024 in a process, and later ones, with kept code and through numba's cache."""
    trace = write(folder / "macab_1024.trace", all_banks(1024))
    first: dict[str, float] = {}
    for way in ("numba", "kept code"):
        for _ in range(2):  # the first process compiles
            command = [sys.executable, "-c", PROCESS, str(trace), way, str(PLAYS)]
            cycles, imports, *plays = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        first[way] = plays[0]
        times = (
            f"imports {imports * 1e3:.0f} ms, first play {plays[0] * 1e3:.1f} ms, later {min(plays[1:]) * 1e3:.1f} ms"
        )
        print(f"{'macab_1024':18} {cycles:,} cycles, {way}: {times}")
    print(f"{'':18} ratio of the first plays {first['numba'] / first['kept code']:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, default=256, help="of the trace of gpt2")
    tokens = parser.parse_args().tokens
    programs()
    slow_player()
    with tempfile.TemporaryDirectory() as folder:
        long_file(Path(folder))
        remembered(Path(folder), tokens)
        first_play(Path(folder))


if __name__ == "__main__":
    main()
