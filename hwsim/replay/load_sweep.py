"""A memory's bandwidth and latency over the rate of requests: a sweep that ends by a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.dram.random_access.patterns import PATTERNS, generate
from hwsim.dram.standards.load import split_timing
from hwsim.errors import DramError
from hwsim.replay.dram import DEFAULT_REQUESTS, Chunk, unconfirmed
from hwsim.replay.knee import KneeRule, Loads, find_knee
from hwsim.replay.load_report import LoadSweep
from hwsim.replay.memory_choice import MemoryChoice

if TYPE_CHECKING:
    from hwsim.replay.load_point import LoadPoint

# For each channel: queues hold up to a hundred, and refreshes come every few thousand cycles.
LEAST_REQUESTS, USUAL_REQUESTS = 1000, 10_000
USUAL_LOADS = 27  # for a progress bar: how many are measured is known at the end


def sweep_load(
    standard_name: str,
    pattern: str,
    *,
    bin: str | None = None,
    device: str | None = None,
    clock: str | None = None,
    ranks: int | None = None,
    refresh: str = "all_bank",
    requests: int | None = None,
    channels: int = 1,
    mapping: str | None = None,
    read_share: float | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    rule: KneeRule | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LoadSweep:
    """Play the same generated requests at one rate after the other, each on an idle memory, up to the knee and beyond.

    Parameters are those of `run_memory`, and:

    Parameters
    ----------
    requests : at each rate; by default 100,000, or 10,000 for each channel if that is more
    rule : what the knee is
    progress : called with the number of rates that were played and of those that are usual

    Raises
    ------
    DramError : an unknown standard, mapping, pattern or parameter, a value out of range
    """
    if channels < 1:
        raise DramError(f"--channels: expected at least 1, got {channels}")
    if requests is not None and requests < LEAST_REQUESTS * channels:
        raise DramError(f"--requests: a load sweep needs {LEAST_REQUESTS} for each channel, got {requests}")
    if seed is not None and seed < 0:
        raise DramError(f"--seed: expected at least 0, got {seed}")
    if not is_pattern(pattern) and Path(pattern).is_file():
        raise DramError(f"a load sweep plays generated patterns, not a file of requests: {pattern}")
    timing, control = split_timing(settings or {})
    memory = MemoryChoice(standard=standard_name, bin=bin, device=device, clock=clock, ranks=ranks, refresh=refresh)
    standard = memory.load(timing=timing)
    parameters = load_parameters(control)
    where = load_mapping(mapping, standard, channels)
    share = 1.0 if read_share is None else read_share
    number = requests or max(DEFAULT_REQUESTS, USUAL_REQUESTS * channels)
    chunks = list(generate(pattern, where, number, read_share=share, seed=seed or 0))
    rule = rule or KneeRule()
    return LoadSweep(
        standard=standard,
        memory=memory,
        mapping=where,
        parameters=parameters,
        pattern=pattern,
        read_share=share,
        rule=rule,
        loads=_play(chunks, where, parameters, rule, progress),
        unconfirmed=unconfirmed(memory, timing, control),
    )


def is_pattern(text: str) -> bool:
    """Whether requests are generated; a pattern's name wins over a file of that name, as in a run."""
    return text.partition(":")[0] in PATTERNS


def _play(
    chunks: Sequence[Chunk],
    mapping: AddressMapping,
    parameters: ControllerParameters,
    rule: KneeRule,
    progress: Callable[[int, int], None] | None,
) -> Loads[LoadPoint]:
    # With numba, which no mistake in the arguments need wait for.
    from hwsim.dram.random_access.player import single_accesses
    from hwsim.replay.load_point import play_load

    runs = np.concatenate([single_accesses(writes, addresses) for writes, addresses in chunks])
    played = 0

    def measure(rate: Fraction) -> LoadPoint:
        nonlocal played
        point = play_load(runs, rate, mapping, parameters)
        played += 1
        if progress:
            progress(played, max(USUAL_LOADS, played))
        return point

    return find_knee(measure, Fraction(mapping.channels), rule)
