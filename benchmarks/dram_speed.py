"""Speed of the plain memory: seconds and steps a request, single and as runs, beside any other simulator.

    python benchmarks/dram_speed.py [--standard ddr4_2133] [--requests 1000000] [--before CHECKOUT] [--peer COMMAND]

Requests are the patterns of `hwsim dram`; `single` hands them over one by one, `runs` as the runs that they form. Each
figure is the least processor time of three plays after one that compiles. With `--before`, the same requests are played
by an older checkout of this project. With `--peer`, a command that holds `{trace}` is run on the same requests in a
file of `LD`/`ST` lines (`--peer-format dramsim3`: `0xADDRESS READ CYCLE`), as a whole process, beside ours.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.coalesce import coalesce
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.player import MemoryPlayer, single_accesses
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.dram.random_access.requests import untimed
from hwsim.dram.standards.load import load_standard

Requests = tuple[np.ndarray, np.ndarray]
PLAYS = 3
# What an older checkout is asked to do: its players take encoded requests.
BEFORE = """
import json, sys, time
import numpy as np
from hwsim.dram.random_access.address import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.player import MemoryPlayer
try:
    from hwsim.dram.standards.load import load_standard
except ImportError:
    try:
        from hwsim.dram.device.standard import load_standard
    except ImportError:
        from hwsim.dram.standard import load_standard
standard = load_standard(sys.argv[1])
where = load_mapping(None, standard, 1)
found = {}
for file in sys.argv[2:]:
    requests = np.load(file)
    times = []
    for _ in range(4):
        begin = time.process_time()
        encoded = [where.encode(requests["writes"], requests["addresses"])]
        served = MemoryPlayer(standard, 1, load_parameters()).play(encoded)
        times.append(time.process_time() - begin)
    found[file] = [min(times[1:]), served.cycles]
print(json.dumps(found))
"""


def patterns(standard: Standard, count: int) -> dict[str, Requests]:
    """Writes and addresses of each pattern; random traffic is ten times as short."""
    size, capacity = standard.column_bytes, load_mapping(None, standard, 1).capacity_bytes
    draw, few = np.random.default_rng(0), count // 10
    reads, blocks = np.zeros(count, dtype=np.bool_), np.arange(count) * size
    anywhere = draw.integers(capacity // size, size=few) * size
    return {
        "stream": (reads, blocks % capacity),
        "write stream": (~reads, blocks % capacity),
        "stride of 4 KiB": (reads, np.arange(count) * 4096 % capacity),
        "random reads": (reads[:few], anywhere),
        "random, 67 % reads": (draw.random(few) >= 0.67, anywhere),
    }


def least(work: Callable[[], MemoryPlayer]) -> tuple[float, MemoryPlayer]:
    """Processor time of the quickest of some plays, and the memory after it."""
    work()
    times = []
    for _ in range(PLAYS):
        begin = time.process_time()
        player = work()
        times.append(time.process_time() - begin)
    return min(times), player


def play(standard: Standard, runs: np.ndarray) -> MemoryPlayer:
    player = MemoryPlayer(load_mapping(None, standard, 1), load_parameters())
    player.play([runs])
    return player


def before(checkout: Path, standard: str, files: list[Path]) -> dict[str, tuple[float, int]]:
    """Seconds and cycles of the same requests on an older checkout."""
    command = [sys.executable, "-c", BEFORE, standard, *map(str, files)]
    done = subprocess.run(command, cwd=checkout, env={"PYTHONPATH": str(checkout)}, check=True, capture_output=True)
    return {name: tuple(found) for name, found in json.loads(done.stdout).items()}


def write_trace(path: Path, requests: Requests, form: str) -> None:
    with path.open("w") as file:
        for cycle, (write, address) in enumerate(zip(*(part.tolist() for part in requests), strict=True)):
            if form == "dramsim3":
                file.write(f"{address:#x} {'WRITE' if write else 'READ'} {cycle}\n")
            else:
                file.write(f"{'ST' if write else 'LD'} {address:#x}\n")


def process_seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--standard", default="ddr4_2133")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT")
    parser.add_argument("--peer", metavar="COMMAND")
    parser.add_argument("--peer-format", choices=("hwsim", "dramsim3"), default="hwsim")
    options = parser.parse_args()
    standard = load_standard(options.standard)
    made = patterns(standard, options.requests)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{i}.npz" for i, name in enumerate(made)}
        for name, (writes, addresses) in made.items():
            np.savez(files[name], writes=writes, addresses=addresses)
        old = before(options.before, options.standard, list(files.values())) if options.before else {}
        table(standard, made, {name: old[str(files[name])] for name in made} if old else {})
        if options.peer:
            beside_peer(options, made, Path(folder))
    slow(standard)


def table(standard: Standard, made: dict[str, Requests], old: dict[str, tuple[float, int]]) -> None:
    print(f"{standard.name}, one channel; ns and steps a request")
    print(
        f"{'pattern':20} {'requests':>10} {'single':>8} {'steps':>6} {'runs':>8} {'steps':>6}"
        + " before  ratio" * bool(old)
    )
    for name, requests in made.items():
        count = len(requests[0])
        single, one_by_one = least(lambda requests=requests: play(standard, single_accesses(*requests)))  # type: ignore[misc]
        grouped, together = least(lambda requests=requests: play(standard, coalesce(untimed(*requests))))  # type: ignore[misc]
        assert one_by_one.finish == together.finish
        line = f"{name:20} {count:10,} {single / count * 1e9:8.1f} {one_by_one.steps / count:6.2f} "
        line += f"{grouped / count * 1e9:8.1f} {together.steps / count:6.2f}"
        if name in old:
            took, _ = old[name]
            line += f" {took / count * 1e9:6.0f} {took / single:5.1f}x {took / grouped:13.1f}x"
        print(line)


def beside_peer(options: argparse.Namespace, made: dict[str, Requests], folder: Path) -> None:
    """Whole processes on the same trace."""
    print(f"\nwhole process, seconds: hwsim dram, then {options.peer}")
    for name, requests in made.items():
        ours, theirs = folder / "ours.trace", folder / "theirs.trace"
        write_trace(ours, requests, "hwsim")
        write_trace(theirs, requests, options.peer_format)
        main_module = "import sys; from hwsim.cli import main; sys.exit(main(sys.argv[1:]))"
        here = [sys.executable, "-c", main_module, "dram", options.standard, "--pattern", str(ours), "--quiet"]
        mine = process_seconds(here)
        other = process_seconds(shlex.split(options.peer.format(trace=theirs)))
        print(f"{name:20} {mine:8.2f} {other:8.2f}  ratio {other / mine:.1f}")


def slow(standard: Standard) -> None:
    """The reference, for scale."""
    memory = ReferenceMemory(load_mapping(None, standard, 1), load_parameters(), [Master(name="host")])
    memory.offer(0, Run(write=False, address=0, stride=standard.column_bytes, count=300))
    begin = time.process_time()
    memory.drain()
    print(f"\nreference: {(time.process_time() - begin) / 300 * 1e9:,.0f} ns a streaming read")


if __name__ == "__main__":
    main()
