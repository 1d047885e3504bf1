"""`hwsim dram`: a request pattern or trace on a memory to a report, and to a log of its commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.dram.random_access.patterns import generate
from hwsim.dram.random_access.requests import Requests
from hwsim.dram.standards.load import split_timing
from hwsim.errors import DramError, EnergyError
from hwsim.replay.command_formats import CommandFormat, CommandLog, load_format
from hwsim.replay.memory_choice import MemoryChoice
from hwsim.replay.memory_report import MemoryReport
from hwsim.replay.request_source import is_generated
from hwsim.report.command_log import text_file

if TYPE_CHECKING:
    from hwsim.dram.currents.energy import PlayEnergy
    from hwsim.dram.currents.sourced import Currents
    from hwsim.dram.random_access.row_visits import RowVisits
    from hwsim.dram.random_access.served import Served

DEFAULT_REQUESTS = 100_000


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
    energy: bool = False,
    log_file: Path | None = None,
    log_format: str = "csv",
    progress: Callable[[int, int], None] | None = None,
) -> MemoryReport:
    """Play a pattern (`patterns.FORMS`) or a trace file.

    Parameters
    ----------
    standard_name : of a shipped standard, or the path of a YAML file
    bin, device, clock, ranks, refresh : which memory of it, see `MemoryChoice`
    requests : how many; by default all of a file
    read_share, seed : for a generated pattern that draws: 1.0 and 0 by default
    wrap : take what a file names modulo what the memory has
    rate : requests that the host offers a cycle, `N` or `1/N`; by default one for each channel
    settings : parameters of the controller by name, and timing parameters as `timing.NAME`
    energy : report it too, where currents are sourced
    log_file, log_format : a log of the commands, see `COMMAND_FORMATS`

    Raises
    ------
    DramError : an unknown standard, bin, device, refresh, mapping, pattern or parameter, a value out of range
    EnergyError : no source states the currents of this memory
    TraceError : the file cannot be read, or a line is wrong
    OutputError : the log cannot be written
    """
    if requests is not None and requests < 1:
        raise DramError(f"--requests: expected at least 1, got {requests}")
    generated = is_generated(pattern, channels=channels, read_share=read_share, seed=seed, wrap=wrap)
    timing, control = split_timing(settings or {})
    memory = MemoryChoice(standard=standard_name, bin=bin, device=device, clock=clock, ranks=ranks, refresh=refresh)
    standard = memory.load(timing=timing)
    parameters = load_parameters(control)
    currents = _currents(memory) if energy else None
    where = load_mapping(mapping, standard, channels)
    command_format = load_format(log_format, standard, channels)
    offered = parse_rate(rate, channels)
    if generated:
        chunks = generate(pattern, where, requests or DEFAULT_REQUESTS, read_share=read_share, seed=seed)
    else:
        from hwsim.dram.random_access.trace import read_trace

        chunks = read_trace(Path(pattern), where, wrap=wrap, progress=progress)
        if requests is not None:
            chunks = first_of(chunks, requests)
    # With numba, which no mistake above need wait for.
    from hwsim.dram.random_access.coalesce import coalesce
    from hwsim.dram.random_access.player import MemoryPlayer
    from hwsim.dram.random_access.row_visits import RowVisits

    visits = RowVisits(where, parameters.read_queue + parameters.write_queue)
    with _log_writer(log_file, command_format) as log:
        player = MemoryPlayer(
            where,
            parameters,
            width=max(1, int(offered)),
            every=max(1, offered.denominator),
            on_commands=None if log is None else log.write,
        )
        served = player.play(coalesce(chunk) for chunk in _counted(chunks, visits))
        if not visits.requests:
            raise DramError(f"{pattern}: holds no request")
        if log is not None:
            log.end(served.until)
    return MemoryReport(
        standard=standard,
        memory=memory,
        mapping=where,
        parameters=parameters,
        pattern=pattern,
        rate=offered,
        requests=visits.requests,
        served=served,
        row_visits=visits.counts,
        unconfirmed=unconfirmed(memory, timing, control),
        energy=None if currents is None else _energy(served, standard, memory, currents),
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


def unconfirmed(memory: MemoryChoice, timing: Mapping[str, float], control: Mapping[str, int]) -> tuple[str, ...]:
    """Parameters in use whose shipped value is remembered or assumed."""
    doubtful = [k for k, entry in memory.provenance().items() if entry["grade"] in ("M", "A") and k not in timing]
    assumed = [k for k in ControllerParameters.__dataclass_fields__ if k not in control]
    return (*(f"timing.{key}" for key in doubtful), *assumed)


def first_of(chunks: Iterable[Requests], number: int) -> Iterator[Requests]:
    for chunk in chunks:
        yield chunk.first(number)
        number -= chunk.size
        if number <= 0:
            return


def _counted(chunks: Iterable[Requests], visits: RowVisits) -> Iterator[Requests]:
    for chunk in chunks:
        visits.add(chunk)
        yield chunk


def _currents(memory: MemoryChoice) -> Currents:
    """What the memory draws; for no other clock than that at which it was measured."""
    from hwsim.dram.currents.sourced import find_currents

    with _said_of_the_option():
        found = find_currents(memory.standard, bin=memory.bin, device=memory.device)
        if memory.clock is not None:
            raise EnergyError(
                f"the currents of {memory.standard} hold at its own clock, not with --clock {memory.clock}"
            )
    return found


@contextmanager
def _said_of_the_option() -> Iterator[None]:
    """Name the option that asked for energy."""
    try:
        yield
    except EnergyError as error:
        raise EnergyError(f"--energy: {error}") from None


def _energy(served: Served, standard: Standard, memory: MemoryChoice, currents: Currents) -> PlayEnergy:
    """Energy of a play; settings of timing change what is played, not what the currents were measured with."""
    from hwsim.dram.currents.energy import PlayCounts, play_energy

    seconds = float(served.until / standard.clock_hz)
    with _said_of_the_option():
        return play_energy(PlayCounts.of(served, standard), memory.load(), currents, seconds=seconds)


@contextmanager
def _log_writer(path: Path | None, command_format: CommandFormat) -> Iterator[CommandLog | None]:
    if path is None:
        yield None
        return
    with text_file(path) as file:
        yield CommandLog(file, command_format)
