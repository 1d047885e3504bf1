"""How long commands take that compute little, beside the same of another checkout.

    python benchmarks/start_up.py [--before CHECKOUT]

Each command runs in a process of its own, several times and in turn with the other checkout's, and the shortest time
counts. What a command imported of the heavy packages is listed after it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
COMMANDS = (
    "--version",
    "list",
    "run --help",
    "machine pim_gp",
    "machine aim",
    "fit pim_gpt",
    "explain gpt2",
    "run gpt2 --machine pim_gp",
    "run gpt2 --set chanels=3",
    "run gpt2 --tokens 1",
    "dram ddr4_2134",
    "dram ddr4_2133 --requests 10",
    "aim no_such_file",
    "check no_such_file ddr4_2133",
    "rtl list",
    "compare no_such_file",
)
HEAVY = ("numba", "llvmlite", "simpy", "numpy", "pydantic", "rich", "hwsim.machines.aim", "hwsim.machines.pim_gpt")
SCRIPT = f"""
import sys
from hwsim.cli import main
main(sys.argv[1:])
print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
HEADS = {1: ("ms",), 2: ("before ms", "now ms", "ratio")}
REPEATS = 7


def start(checkout: Path, command: str) -> tuple[float, str]:
    """Seconds from start to end of a command's process, and what it imported of `HEAVY`."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command.split()],
        capture_output=True, text=True, check=True, cwd=checkout, env=environment,
    )  # fmt: skip
    return time.perf_counter() - begin, done.stderr.splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another checkout to compare with")
    before: Path | None = parser.parse_args().before
    checkouts = [HERE] if before is None else [before.resolve(), HERE]
    print(f"{'command':30}" + "".join(f"{name:>10}" for name in HEADS[len(checkouts)]))
    for command in COMMANDS:
        runs = [[start(checkout, command) for checkout in checkouts] for _ in range(REPEATS)]
        shortest = [min(run[i][0] for run in runs) * 1e3 for i in range(len(checkouts))]
        ratio = f"{shortest[0] / shortest[1]:10.2f}" if before else ""
        print(f"{command:30}" + "".join(f"{ms:10.0f}" for ms in shortest) + ratio + f"  {runs[0][-1][1]}")


if __name__ == "__main__":
    main()
