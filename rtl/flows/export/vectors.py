"""Golden test vectors: a block's inputs and expected outputs, as files for `$readmemh`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from hwsim.rtl.block import Block, Job
from hwsim.rtl.ports import Beats, Port

RANDOM_JOBS = 4


def vectors(block: Block[Any], contract: Any, seed: int) -> dict[str, str]:
    """`<port>.hex` for each stream and `jobs.json`, which says where each job begins.

    Raises
    ------
    ValueError : the golden model gives a value that the ports cannot carry
    """
    rng = np.random.default_rng(seed)
    jobs = block.cases.corner_jobs(contract) + [block.cases.random_job(contract, rng) for _ in range(RANDOM_JOBS)]
    lines: dict[str, list[str]] = {port.name: [_header(port)] for port in contract.ports}
    index, first = [], dict.fromkeys(lines, 0)
    for number, job in enumerate(jobs):
        streams = {**job.inputs, **block.golden(contract, job.inputs)}
        counts = {}
        for port in contract.ports:
            words = _words(port, streams[port.name])
            lines[port.name] += [f"// job {number}: {job.name}", *words]
            counts[port.name] = len(words)
        index.append(_entry(contract, job, counts, first))
        first = {name: first[name] + count for name, count in counts.items()}
    description = {"seed": seed, "jobs": index}
    return {f"{name}.hex": "\n".join(text) + "\n" for name, text in lines.items()} | {
        "jobs.json": json.dumps(description, indent=1) + "\n"
    }


def _header(port: Port) -> str:
    fields = ", ".join(f"{f.name} {f.width_bits} bits" for f in port.fields)
    return f"// {port.name} ({port.direction}): a beat a line, {port.width_bits} bits, from the lowest: {fields}"


def _words(port: Port, beats: Beats) -> list[str]:
    port.check(beats)
    return [f"{word:0{-(-port.width_bits // 4)}x}" for word in port.pack(beats)]


def _entry(contract: Any, job: Job, counts: dict[str, int], first: dict[str, int]) -> dict[str, Any]:
    return {
        "name": job.name,
        "cycles": contract.cycles(job.work),
        "streams": {name: {"first": first[name], "beats": count} for name, count in counts.items()},
    }
