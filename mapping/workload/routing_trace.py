"""Routing as a file has it: how many tokens went to an expert, or which experts a token chose."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.workload.token_experts import Experts

COUNTS = ["step", "layer", "expert", "tokens"]
CHOICES = ["step", "layer", "token", "expert"]
MOST_BYTES = 1 << 28


@dataclass(frozen=True, kw_only=True)
class RoutingTrace:
    """Queue lengths by step and layer, and in a file of choices the experts of each token.

    Attributes
    ----------
    counts : (step, layer) -> expert -> tokens
    choices : (step, layer) -> token -> its experts, in the order of the file; empty for a file of counts
    """

    path: str
    counts: dict[tuple[int, int], Counter[int]]
    choices: dict[tuple[int, int], dict[int, list[int]]]

    def check(self, experts: int) -> None:
        """Check that it has no expert beyond the model's.

        Raises
        ------
        ValueError : it has one
        """
        highest = max((expert for counts in self.counts.values() for expert in counts), default=0)
        if highest >= experts:
            raise ValueError(f"{self.path}: has an expert {highest}, the model {experts}, counted from 0")

    def queue_lengths(self, *, number: int, layer: int, tokens: int, experts: int, top_k: int) -> tuple[int, ...]:
        """Tokens of each expert in a step and layer.

        Raises
        ------
        WorkloadError : the trace does not have it, or has other numbers of tokens
        """
        counts = self.counts.get((number, layer))
        if counts is None:
            raise WorkloadError(f"{self.path}: has nothing about step {number}, layer {layer}")
        place = f"{self.path}: step {number}, layer {layer}"
        if counts.total() != tokens * top_k:
            raise WorkloadError(f"{place}: {counts.total()} tokens in all queues, expected {tokens} x {top_k}")
        expert, longest = counts.most_common(1)[0]
        if longest > tokens:
            raise WorkloadError(f"{place}: expert {expert} gets {longest} tokens of {tokens}")
        return tuple(counts[expert] for expert in range(experts))

    def token_experts(self, *, number: int, layer: int, tokens: int, experts: int, top_k: int) -> Experts:
        """Experts of each token in a step and layer, of a trace of choices: (tokens, top_k).

        Raises
        ------
        WorkloadError : as `queue_lengths`; a token with more or fewer experts
        """
        self.queue_lengths(number=number, layer=layer, tokens=tokens, experts=experts, top_k=top_k)
        chosen = self.choices[number, layer]
        for token in range(tokens):
            if len(chosen.get(token, ())) != top_k:
                place = f"{self.path}: step {number}, layer {layer}"
                raise WorkloadError(
                    f"{place}: token {token} has {len(chosen.get(token, ()))} experts, expected {top_k}"
                )
        return np.array([chosen[token] for token in range(tokens)], dtype=np.int64).reshape(tokens, top_k)


def read_trace(path: str) -> RoutingTrace:
    """The trace in a CSV file, read again when the file has changed.

    Its heading is `step,layer,expert,tokens` (experts without tokens may be left out) or `step,layer,token,expert`
    (a line a choice). All count from 0.

    Raises
    ------
    ValueError : no such file, another heading, a line that is no four whole numbers, a choice or count given twice
    """
    try:
        state = Path(path).stat()
        if state.st_size > MOST_BYTES:
            raise ValueError(f"{path}: larger than {MOST_BYTES} bytes")
        return _read(path, state.st_mtime_ns, state.st_size)
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        reason = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise ValueError(f"{path}: cannot be read as a routing trace: {reason}") from None


@lru_cache(maxsize=8)
def _read(path: str, changed: int, size: int) -> RoutingTrace:
    """The trace; `changed` and `size` tell versions of the file apart."""
    counts: dict[tuple[int, int], Counter[int]] = {}
    choices: dict[tuple[int, int], dict[int, list[int]]] = {}
    seen: set[tuple[int, ...]] = set()
    with Path(path).open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        heading = next(lines, [])
        if heading not in (COUNTS, CHOICES):
            expected = " or ".join(map(",".join, (COUNTS, CHOICES)))
            raise ValueError(f"{path}:1: heading {','.join(heading)!r}, expected {expected}")
        for number, line in enumerate(lines, start=2):
            step, layer, third, fourth = _numbers(line, f"{path}:{number}")
            expert, tokens = (third, fourth) if heading == COUNTS else (fourth, 1)
            given = (step, layer, expert) if heading == COUNTS else (step, layer, third, expert)
            if given in seen:
                raise ValueError(f"{path}:{number}: given twice: {','.join(line)}")
            seen.add(given)
            counts.setdefault((step, layer), Counter())[expert] += tokens
            if heading == CHOICES:
                choices.setdefault((step, layer), {}).setdefault(third, []).append(expert)
    return RoutingTrace(path=path, counts=counts, choices=choices)


def _numbers(line: list[str], place: str) -> tuple[int, int, int, int]:
    if len(line) != 4 or not all(cell.isascii() and cell.isdigit() and len(cell) < 16 for cell in line):
        raise ValueError(f"{place}: expected four whole numbers, got {','.join(line)[:60]!r}")
    a, b, c, d = map(int, line)
    return a, b, c, d
