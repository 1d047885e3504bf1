"""`hwsim dram`: a request pattern or trace on a memory to a report, and to a log of its commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.dram.random_access.patterns import PATTERNS, generate
from hwsim.dram.standards.load import split_timing
from hwsim.errors import DramError
from hwsim.replay.memory_choice import MemoryChoice
from hwsim.replay.memory_report import MemoryReport
from hwsim.report.command_log import command_log

DEFAULT_REQUESTS = 100_000
Chunk = tuple[NDArray[np.bool_], NDArray[np.int64]]


def run_memory(
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
    rate: str | None = None,
    settings: Mapping[str, Any] | None = None,
    wrap: bool = False,
    log_file: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> MemoryReport:
    """Play a pattern (`stream`, `random`) or a trace file.

    Parameters
    ----------
    standard_name : of a shipped standard, or the path of a YAML file
    bin, device, clock, ranks, refresh : which memory of it, see `MemoryChoice`
    requests : how many; by default all of a file
    read_share, seed : for a generated pattern: 1.0 and 0 by default
    wrap : take a file's addresses modulo the capacity
    rate : requests that the host offers a cycle, `N` or `1/N`; by default one for each channel
    settings : parameters of the controller by name, and timing parameters as `timing.NAME`

    Raises
    ------
    DramError : an unknown standard, bin, device, refresh, mapping, pattern or parameter, a value out of range
    TraceError : the file cannot be read, or a line is wrong
    OutputError : the log cannot be written
    """
    if requests is not None and requests < 1:
        raise DramError(f"--requests: expected at least 1, got {requests}")
    if channels < 1:
        raise DramError(f"--channels: expected at least 1, got {channels}")
    if seed is not None and seed < 0:
        raise DramError(f"--seed: expected at least 0, got {seed}")
    if pattern in PATTERNS and wrap:
        raise DramError(f"--wrap belongs to a file of requests; pattern {pattern} stays within the capacity")
    if pattern not in PATTERNS and (read_share, seed) != (None, None):
        raise DramError("--read-share and --seed belong to generated patterns; a file says what is read and written")
    timing, control = split_timing(settings or {})
    memory = MemoryChoice(standard=standard_name, bin=bin, device=device, clock=clock, ranks=ranks, refresh=refresh)
    standard = memory.load(timing=timing)
    parameters = load_parameters(control)
    where = load_mapping(mapping, standard, channels)
    offered = parse_rate(rate, channels)
    if pattern in PATTERNS:
        chunks = generate(
            pattern,
            where,
            requests or DEFAULT_REQUESTS,
            read_share=1.0 if read_share is None else read_share,
            seed=seed or 0,
        )
    else:
        if not Path(pattern).is_file():
            raise DramError(f"no request pattern or file {pattern!r}; patterns are {', '.join(PATTERNS)}")
        from hwsim.dram.random_access.trace import read_trace

        chunks = read_trace(Path(pattern), where.capacity_bytes, wrap=wrap, progress=progress)
        if requests is not None:
            chunks = _first(chunks, requests)
    # With numba, which no mistake above need wait for.
    from hwsim.dram.random_access.player import MemoryPlayer, single_accesses

    seen = [0]
    with _log_writer(log_file, standard) as on_commands:
        player = MemoryPlayer(
            where,
            parameters,
            width=max(1, int(offered)),
            every=max(1, offered.denominator),
            on_commands=on_commands,
        )
        served = player.play(single_accesses(*chunk) for chunk in _counted(chunks, seen))
        if not seen[0]:
            raise DramError(f"{pattern}: holds no request")
    return MemoryReport(
        standard=standard,
        memory=memory,
        mapping=where,
        parameters=parameters,
        pattern=pattern,
        rate=offered,
        requests=seen[0],
        served=served,
        unconfirmed=_unconfirmed(memory, timing, control),
    )


def parse_rate(text: str | None, channels: int) -> Fraction:
    """Requests a cycle from `N` or `1/N`.

    Raises
    ------
    DramError : any other text
    """
    if text is None:
        return Fraction(channels)
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0 or 1 not in (rate.numerator, rate.denominator) or max(rate, 1 / rate) > 1 << 20:
        raise DramError(f"--rate: expected requests a cycle, N or 1/N, got {text!r}")
    return rate


def _unconfirmed(memory: MemoryChoice, timing: Mapping[str, float], control: Mapping[str, int]) -> tuple[str, ...]:
    """Parameters in use whose shipped value is remembered or assumed."""
    doubtful = [k for k, entry in memory.provenance().items() if entry["grade"] in ("M", "A") and k not in timing]
    assumed = [k for k in ControllerParameters.__dataclass_fields__ if k not in control]
    return (*(f"timing.{key}" for key in doubtful), *assumed)


def _first(chunks: Iterable[Chunk], requests: int) -> Iterator[Chunk]:
    for writes, addresses in chunks:
        yield writes[:requests], addresses[:requests]
        requests -= len(addresses)
        if requests <= 0:
            return


def _counted(chunks: Iterable[Chunk], seen: list[int]) -> Iterator[Chunk]:
    for writes, addresses in chunks:
        seen[0] += len(addresses)
        yield writes, addresses


@contextmanager
def _log_writer(path: Path | None, standard: Standard) -> Iterator[Callable[[NDArray[np.int64]], None] | None]:
    if path is None:
        yield None
        return
    names = list(standard.commands)
    with command_log(path) as file:

        def write(entries: NDArray[np.int64]) -> None:
            file.writelines(
                f"{cycle},{channel},{names[command]},{bank},{row},{column}\n"
                for channel, cycle, command, bank, row, column in entries.tolist()
            )

        yield write
