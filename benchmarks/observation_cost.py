"""The cost of observing a run: run time of gpt2 with energy, a trace, both and neither.

    python benchmarks/observation_cost.py [--trace-tokens N]

Processor time, so that other work on the machine counts less; runs alternate, and the fastest of each kind counts.
Absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from hwsim import load_workload, run
from hwsim.pipeline import TRACE_TOKENS

REPEATS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace-tokens", type=int, default=TRACE_TOKENS)
    tokens = parser.parse_args().trace_tokens
    workload = load_workload("gpt2")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gpt2.pftrace"
        run(load_workload("gpt2", tokens=1), trace=file)  # load the kernel and the protobuf classes
        kinds: dict[str, tuple[str, Path | None]] = {
            "neither": ("off", None),
            "energy": ("paper", None),
            "trace": ("off", file),
            "both": ("paper", file),
        }
        seconds: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(REPEATS):
            for name, (energy, trace) in kinds.items():
                begin = time.process_time()
                run(workload, settings={"energy": energy}, trace=trace, trace_tokens=tokens)
                seconds[name].append(time.process_time() - begin)
        size = file.stat().st_size
    best = {name: min(taken) for name, taken in seconds.items()}
    print(f"gpt2, {workload.run.tokens:,} tokens, {tokens} of them traced, fastest of {REPEATS}")
    for name, taken in best.items():
        print(f"  {name:8} {taken:6.2f} s   ratio {taken / best['neither']:.3f}")
    print(f"  trace file {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
