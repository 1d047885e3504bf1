"""A memory's bandwidth and latency over the rate of requests: a sweep that ends by a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.dram.random_access.patterns import generate
from hwsim.dram.random_access.requests import NO_ARRIVAL, Requests, joined
from hwsim.dram.standards.load import split_timing
from hwsim.errors import DramError
from hwsim.replay.dram import DEFAULT_REQUESTS, first_of, unconfirmed
from hwsim.replay.knee import KneeRule, Loads, find_knee
from hwsim.replay.load_report import LoadSweep
from hwsim.replay.memory_choice import MemoryChoice
from hwsim.replay.request_source import is_generated

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
    wrap: bool = False,
    rule: KneeRule | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LoadSweep:
    """Play the same requests at one rate after the other, each on an idle memory, up to the knee and beyond.

    Parameters are those of `run_memory`, and:

    Parameters
    ----------
    requests : at each rate, of a file the first; by default 100,000, or 10,000 for each channel if that is more
    rule : what the knee is
    progress : called with the number of rates that were played and of those that are usual

    Raises
    ------
    DramError : an unknown standard, mapping, pattern or parameter, a value out of range, a file of too few requests or
        of requests that have arrivals
    TraceError : the file cannot be read, or a line is wrong
    """
    generated = is_generated(pattern, channels=channels, read_share=read_share, seed=seed, wrap=wrap)
    if requests is not None and requests < LEAST_REQUESTS * channels:
        raise DramError(f"--requests: a load sweep needs {LEAST_REQUESTS} for each channel, got {requests}")
    timing, control = split_timing(settings or {})
    memory = MemoryChoice(standard=standard_name, bin=bin, device=device, clock=clock, ranks=ranks, refresh=refresh)
    standard = memory.load(timing=timing)
    parameters = load_parameters(control)
    where = load_mapping(mapping, standard, channels)
    number = requests or max(DEFAULT_REQUESTS, USUAL_REQUESTS * channels)
    if generated:
        played = joined(generate(pattern, where, number, read_share=read_share, seed=seed))
    else:
        played = _read(Path(pattern), where, number, wrap=wrap)
    rule = rule or KneeRule()
    return LoadSweep(
        standard=standard,
        memory=memory,
        mapping=where,
        parameters=parameters,
        pattern=pattern,
        read_share=1 - float(played.writes.mean()),
        rule=rule,
        loads=_play(played, where, parameters, rule, progress),
        unconfirmed=unconfirmed(memory, timing, control),
    )


def _read(path: Path, mapping: AddressMapping, number: int, *, wrap: bool) -> Requests:
    """The first requests of a file."""
    from hwsim.dram.random_access.trace import read_trace

    found = joined(first_of(read_trace(path, mapping, wrap=wrap), number))
    if found.size < LEAST_REQUESTS * mapping.channels:
        raise DramError(f"{path}: a load sweep needs {LEAST_REQUESTS} requests for each channel, found {found.size}")
    if (found.arrivals != NO_ARRIVAL).any():
        raise DramError(f"{path}: its requests have arrivals, and a load sweep would set them by itself")
    return found


def _play(
    requests: Requests,
    mapping: AddressMapping,
    parameters: ControllerParameters,
    rule: KneeRule,
    progress: Callable[[int, int], None] | None,
) -> Loads[LoadPoint]:
    # With numba, which no mistake in the arguments need wait for.
    from hwsim.replay.load_point import play_load

    played = 0

    def measure(rate: Fraction) -> LoadPoint:
        nonlocal played
        point = play_load(requests, rate, mapping, parameters)
        played += 1
        if progress:
            progress(played, max(USUAL_LOADS, played))
        return point

    return find_knee(measure, Fraction(mapping.channels), rule)
