"""What a trace costs: run time of gpt2 with and without one.

    python benchmarks/trace_cost.py [TRACE_TOKENS]

Processor time, so that other work on the machine counts less; runs alternate, and the fastest of each kind counts.
Absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from hwsim import load_workload, run
from hwsim.pipeline import TRACE_TOKENS

REPEATS = 7


def main() -> None:
    tokens = int(sys.argv[1]) if len(sys.argv) > 1 else TRACE_TOKENS
    workload = load_workload("gpt2")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gpt2.pftrace"
        run(load_workload("gpt2", tokens=1), trace=file)  # load the kernel and the protobuf classes
        seconds: dict[Path | None, list[float]] = {None: [], file: []}
        for _ in range(REPEATS):
            for trace, taken in seconds.items():
                begin = time.process_time()
                run(workload, trace=trace, trace_tokens=tokens)
                taken.append(time.process_time() - begin)
        size = file.stat().st_size
    off, on = min(seconds[None]), min(seconds[file])
    print(f"gpt2, {workload.tokens:,} tokens, fastest of {REPEATS}: {off:.2f} s, {on:.2f} s with {tokens} traced")
    print(f"  ratio      {on / off:.3f}")
    print(f"  trace file {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
