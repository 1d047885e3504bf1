"""Standards from their files: YAML for commands, organisation and timing, CSV for the table of constraints."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hwsim.dram.device.standard import Command, Constraint, Refresh, Standard, check_standard
from hwsim.dram.standards.document import Choice, choose, nearest_of
from hwsim.dram.standards.expressions import evaluate
from hwsim.dram.standards.source import STANDARDS
from hwsim.dram.standards.table import read_constraints
from hwsim.dram.standards.timing import MOST_TIME, Time, merge_timing, timing_in_cycles
from hwsim.errors import DramError

__all__ = [
    "MOST_TIME",
    "STANDARDS",
    "load_standard",
    "split_timing",
    "timing_defaults",
    "timing_provenance",
]


def timing_defaults(name: str, *, bin: str | None = None, device: str | None = None) -> dict[str, Any]:
    """Timing parameters of a standard as its file states them: `tX_ns` in ns, `nX` in cycles or as an expression."""
    return {key: entry["value"] for key, entry in choose(name, bin=bin, device=device).timing.items()}


def timing_provenance(
    name: str,
    *,
    bin: str | None = None,
    device: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Grade, confidence and source of each timing parameter of a standard."""
    timing = choose(name, bin=bin, device=device).timing
    return {key: {k: v for k, v in entry.items() if k != "value"} for key, entry in timing.items()}


def split_timing(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split settings into those called `timing.NAME`, by NAME, and the others."""
    timing = {k.removeprefix("timing."): value for k, value in settings.items() if k.startswith("timing.")}
    return timing, {k: value for k, value in settings.items() if not k.startswith("timing.")}


def load_standard(
    name: str,
    *,
    bin: str | None = None,
    device: str | None = None,
    timing: Mapping[str, Time] | None = None,
    clock_hz: int | Fraction | None = None,
    levels: Mapping[str, int] | None = None,
    rows: int | None = None,
    columns: int | None = None,
    column_bytes: int | None = None,
    refresh: bool | str = True,
) -> Standard:
    """Load a standard by name, or a user's by the path of its YAML file, with any of its parameters replaced.

    Parameters
    ----------
    name : of a shipped standard, or a path that ends in .yaml or .yml; the table lies beside that file
    bin, device : speed bin, and density and width of a chip, of those that the standard's file lists
    timing : replaces parameters by the name that the standard's file uses (`tRCD_ns` or `nRCD`), or by the other form
    clock_hz : another clock than the bin's: parameters in ns keep their value, those in cycles their number
    levels : number of nodes by level, such as ranks
    refresh : False plays without refresh, True with that of all banks; or the name of a mode

    Raises
    ------
    DramError : an unknown standard, bin, device, parameter or refresh, a value out of range, a latency that the table
        uses but nothing defines, timing that is defined in a circle
    """
    choice = choose(name, bin=bin, device=device)
    defaults = {key: entry["value"] for key, entry in choice.timing.items()}
    clock = choice.clock_hz if clock_hz is None else Fraction(clock_hz)
    if clock <= 0:
        raise DramError(f"standard {name}: clock_hz must be positive, got {clock}")
    for level in levels or ():
        if level not in choice.levels:
            raise DramError(f"standard {name}: no level {level!r}; there are {', '.join(choice.levels)}")
    params = timing_in_cycles(name, merge_timing(name, defaults, timing or {}), clock, choice.rounding)
    counts = {**choice.levels, **(levels or {})}
    commands = {command: _command(name, command, entry, params, counts) for command, entry in choice.commands.items()}
    standard = Standard(
        name=name,
        clock_hz=clock,
        levels=tuple(counts.items()),
        rows=choice.rows if rows is None else rows,
        columns=choice.columns if columns is None else columns,
        column_bytes=choice.column_bytes if column_bytes is None else column_bytes,
        params=params,
        commands=commands,
        constraints=_constraints(choice, commands, params, counts),
        refresh=None,
        reserved_rows=choice.reserved_rows,
    )
    check_standard(standard)
    if refresh is False:
        return standard
    return _refreshed(standard, choice, refresh)


def _command(
    standard: str, name: str, entry: Mapping[str, Any], params: Mapping[str, int], levels: Mapping[str, int]
) -> Command:
    """A command; `duration` is an expression of timing parameters, `stride` of the numbers of nodes by level."""
    changed = {"duration": _worked_out(f"{standard}: commands.{name}.duration", entry.get("duration", 1), params)}
    if "stride" in entry:
        changed["stride"] = _worked_out(f"{standard}: commands.{name}.stride", entry["stride"], levels)
    return Command(name=name, **{**entry, **changed})


def _worked_out(place: str, expression: object, params: Mapping[str, int]) -> int:
    try:
        value = evaluate(str(expression), params)
    except DramError as cause:
        raise DramError(f"standard {place}: {cause}") from None
    if value < 1:
        raise DramError(f"standard {place}: must be at least 1, got {value} for {str(expression)!r}")
    return value


def _constraints(
    choice: Choice, commands: Mapping[str, Command], params: Mapping[str, int], levels: Mapping[str, int]
) -> tuple[Constraint, ...]:
    name, text = choice.source.table(choice.constraints)
    return read_constraints(name, text, commands, params, levels, unplayed=choice.unplayed)


def _refreshed(standard: Standard, choice: Choice, mode: bool | str) -> Standard:
    """The standard with one of its refresh modes; as many turns as it takes to cover the banks of a rank."""
    wanted = "all_bank" if mode is True else str(mode)
    if wanted not in choice.refresh:
        raise DramError(f"standard {standard.name}: no refresh {wanted!r}{nearest_of(wanted, choice.refresh)}")
    rule = choice.refresh[wanted]
    refresh = Refresh(
        command=rule["command"],
        precharge=rule["precharge"],
        interval=_worked_out(f"{standard.name}: refresh.{wanted}.interval", rule["interval"], standard.params),
        turns=standard.banks_per_rank // len(standard.banks_of(rule["command"], 0)),
    )
    refreshed = standard.with_refresh(refresh)
    check_standard(refreshed)
    return refreshed
