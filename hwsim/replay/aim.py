"""`hwsim aim`: a trace file to a report, and to a log of its commands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.dram.aim.energy import energy_parts
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.player import AimPlayer, ChannelResult, CommandRun
from hwsim.dram.aim.refresh import RefreshMode
from hwsim.dram.aim.trace_player import Player, TracePlayer, play_file
from hwsim.dram.aim.variants import DEFAULT, Variant
from hwsim.dram.device.standard import Standard
from hwsim.dram.standards.load import split_timing
from hwsim.energy import load_table
from hwsim.errors import DramError
from hwsim.report.command_log import command_log

SCHEMA_VERSION = 1
SETTINGS = ("rows", "columns", "refresh_postponed")  # beside timing.NAME


@dataclass(frozen=True, kw_only=True)
class AimReport:
    """What a trace took. Counts and energy are sums over all channels.

    `refresh_cycles` is the part of the cycles that refresh costs.
    """

    trace: str
    variant: Variant
    clock_hz: int
    cycles: int
    refresh: RefreshMode
    refresh_cycles: int
    instructions: int
    commands: dict[str, int]
    channels: list[ChannelResult]
    energy_pj: dict[str, float]

    def to_json(self) -> str:
        document = {
            "schema_version": SCHEMA_VERSION,
            "trace": self.trace,
            "variant": self.variant,
            "clock_hz": self.clock_hz,
            "cycles": self.cycles,
            "time_s": self.cycles / self.clock_hz,
            "refresh": {
                "mode": self.refresh,
                "cycles": self.refresh_cycles,
                "share": self.refresh_cycles / self.cycles,
            },
            "instructions": self.instructions,
            "commands": self.commands,
            "channels": [
                {
                    "channel": index,
                    "busy_cycles": channel.busy_cycles,
                    "idle_cycles": self.cycles - channel.busy_cycles,
                    "open_row_cycles": channel.open_cycles,
                    "commands": channel.commands,
                }
                for index, channel in enumerate(self.channels)
            ],
            "energy_pj": {**self.energy_pj, "total": sum(self.energy_pj.values())},
        }
        return json.dumps(document, indent=2) + "\n"

    def to_text(self) -> str:
        """The report for a terminal."""
        total = sum(self.commands.values())
        lines = [
            f"{self.trace}: {self.instructions:,} instructions on {len(self.channels)} channels",
            f"cycles    {self.cycles:,} ({self.cycles / self.clock_hz * 1e6:,.3f} us at {self.clock_hz / 1e9:g} GHz)",
            f"commands  {total:,}: " + ", ".join(f"{name} {n:,}" for name, n in self.commands.items()),
            *self._lines_beyond_defaults(),
            "",
            "channels                  busy         idle     commands",
        ]
        for name, channel in self._alike():
            issued = sum(channel.commands.values())
            idle = self.cycles - channel.busy_cycles
            lines.append(f"{name:17} {channel.busy_cycles:12,} {idle:12,} {issued:12,}")
        lines += ["", f"energy    {sum(self.energy_pj.values()) / 1e3:,.3f} nJ"]
        lines += [f"  {part:20} {value / 1e3:14,.3f} nJ" for part, value in self.energy_pj.items() if value]
        return "\n".join(lines) + "\n"

    def _lines_beyond_defaults(self) -> Iterator[str]:
        if self.variant != DEFAULT:
            yield f"timing    variant {self.variant}"
        if self.refresh != "off":
            share = self.refresh_cycles / self.cycles
            yield f"refresh   {self.refresh}: {self.refresh_cycles:,} of the cycles ({share:.2%}) are due to it"

    def _alike(self) -> Iterator[tuple[str, ChannelResult]]:
        """Neighbouring channels with equal results, on one line."""
        first = 0
        for index in range(1, len(self.channels) + 1):
            if index == len(self.channels) or self.channels[index] != self.channels[first]:
                yield f"{first}" if index == first + 1 else f"{first} to {index - 1} (each)", self.channels[first]
                first = index


def play_trace(
    trace: Path,
    channels: int,
    *,
    variant: Variant = DEFAULT,
    refresh: RefreshMode = "off",
    settings: Mapping[str, Any] | None = None,
    log_file: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> AimReport:
    """Play a trace file on the channels of one device; with refresh, also without it in the same pass to know its cost.

    Parameters
    ----------
    settings : `rows`, `columns`, `refresh_postponed`, and timing parameters as `timing.NAME`

    Raises
    ------
    DramError : an unknown setting
    TraceError : the file cannot be read, or a line is wrong
    OutputError : the log cannot be written
    """
    standard = standard_of(variant, refresh, settings or {})
    with _log_writer(log_file) as on_commands:
        everything = standard.refresh or on_commands  # with refresh nothing repeats, and a log has every command
        player: Player = (
            AimPlayer(standard, channels, on_commands=on_commands) if everything else TracePlayer(standard, channels)
        )
        beside = [TracePlayer(standard.without_refresh(), channels)] if standard.refresh else []
        instructions = play_file(trace, player, *beside, progress=progress)
    results = player.results()
    totals: Counter[str] = Counter()
    for result in results:
        totals.update(result.commands)
    active = sum(result.open_cycles for result in results)
    return AimReport(
        trace=str(trace),
        variant=variant,
        clock_hz=int(standard.clock_hz),
        cycles=player.cycle,
        refresh=refresh,
        refresh_cycles=player.cycle - beside[0].cycle if beside else 0,
        instructions=instructions,
        commands={name: totals[name] for name in standard.commands if totals[name]},
        channels=results,
        energy_pj={
            part.name: part.picojoules
            for part in energy_parts(
                totals,
                active_cycles=active,
                precharged_cycles=player.cycle * channels - active,
                standard=standard,
                table=load_table("aim"),
            )
        },
    )


def standard_of(variant: Variant, refresh: RefreshMode, settings: Mapping[str, Any]) -> Standard:
    """The channels' DRAM, with settings named as those of machine `aim`.

    Raises
    ------
    DramError : an unknown setting, or a value out of range
    """
    timing, others = split_timing(settings)
    for name, value in others.items():
        if name not in SETTINGS:
            raise DramError(f"--set {name}: a trace is played with {', '.join(SETTINGS)} and timing.NAME as settings")
        if isinstance(value, bool) or not isinstance(value, int):
            raise DramError(f"--set {name}: expected a whole number, got {value!r}")
    return load_aim(
        refresh,
        variant=variant,
        timing=timing,
        rows=others.get("rows"),
        columns=others.get("columns"),
        postponed=others.get("refresh_postponed", 0),
    )


@contextmanager
def _log_writer(path: Path | None) -> Iterator[Callable[[CommandRun], None] | None]:
    if path is None:
        yield None
        return
    with command_log(path) as file:

        def write(run: CommandRun) -> None:
            step = 0 if run.column < 0 else 1
            for channel in run.channels:
                what = f"{channel},{run.command},{run.bank},{run.row}"
                file.writelines(
                    f"{run.cycle + i * run.spacing},{what},{run.column + i * step}\n" for i in range(run.count)
                )

        yield write
