"""Whole processes: wall time and peak memory of `hwsim run`, over models and over the number of tokens.

    python benchmarks/scaling.py [--quick]

Each run is a process of its own, the second of its kind, so that nothing is compiled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = [("gpt2", 1024), ("gpt3_xl", 128), ("gpt3_xl", 1024), ("gpt3_xl", 4096)]
START = "import sys; from hwsim.cli import main; sys.exit(main(sys.argv[1:]))"


def measure(model: str, tokens: int, folder: Path) -> tuple[float, float, int]:
    """(wall seconds, peak MiB, steps executed) of one process."""
    report = folder / "report.json"
    arguments = ["run", model, "--tokens", str(tokens), "--quiet", "--json", str(report)]
    if tokens > 2048:
        arguments += ["--set", f"workload.n_ctx={tokens}"]
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", START, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - begin
    if status:
        sys.exit(f"hwsim {' '.join(arguments)} failed")
    return took, usage.ru_maxrss / 1024, json.loads(report.read_text())["dram"]["steps_executed"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the longest run")
    runs = RUNS[:-1] if parser.parse_args().quick else RUNS
    print(f"{'model':10} {'tokens':>7} {'wall s':>8} {'peak MiB':>9} {'steps':>13} {'ns a step':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure("gpt2", 1, folder)
        start, _, _ = measure("gpt2", 1, folder)
        print(f"{'start':10} {1:7} {start:8.2f}")
        for model, tokens in runs:
            took, peak, steps = measure(model, tokens, folder)
            print(
                f"{model:10} {tokens:7,} {took:8.2f} {peak:9.0f} {steps:13,} {(took - start) / steps * 1e9:10.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
