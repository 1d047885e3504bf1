"""What `hwsim dram --load-sweep` does, and `--html` beside a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.commands.output import optional_progress
from hwsim.errors import DramError

if TYPE_CHECKING:
    from hwsim.replay.load_report import LoadSweep
    from hwsim.replay.memory_report import MemoryReport

OF_A_RUN = ("rate", "energy")  # options that a sweep does not have


def check_options(options: Mapping[str, Any], log_file: Path | None) -> None:
    """Refuse options that mean nothing to a sweep."""
    if options["rate"] is not None:
        raise DramError("--rate: a load sweep goes through the rates by itself")
    if options["energy"]:
        raise DramError("--energy: a load sweep plays many loads; ask for the energy of one with --rate")
    if log_file:
        raise DramError("--commands: a load sweep plays many loads; log one of them with --rate")


def sweep(standard: str, options: Mapping[str, Any], *, enabled: bool) -> LoadSweep:
    """Sweep with the options of a run, under a progress bar."""
    from hwsim.replay.load_sweep import sweep_load

    kept = {name: value for name, value in options.items() if name not in OF_A_RUN}
    with optional_progress(enabled=enabled, unit="loads") as progress:
        return sweep_load(standard, progress=progress, **kept)


def write_page(file: Path, result: MemoryReport | LoadSweep, swept: LoadSweep | None = None) -> None:
    """Write the page of a sweep, or that of a run with the sweep of its pattern."""
    from hwsim.replay.load_report import LoadSweep
    from hwsim.report.html.memory_page import memory_page, sweep_page
    from hwsim.report.write import write_text

    write_text(file, sweep_page(result) if isinstance(result, LoadSweep) else memory_page(result, swept))


def can_sweep(options: Mapping[str, Any]) -> bool:
    """Whether what a run plays can be swept without being asked for: a pattern, and not too short."""
    from hwsim.dram.random_access.patterns import parse_pattern
    from hwsim.replay.load_sweep import LEAST_REQUESTS

    long = options["requests"] is None or options["requests"] >= LEAST_REQUESTS * options["channels"]
    return long and parse_pattern(options["pattern"]) is not None
