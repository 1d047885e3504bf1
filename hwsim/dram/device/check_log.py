"""`hwsim check`: whether every command of a log keeps the constraints of its standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.dram.device.checker import MODE_SWITCH, Violation
from hwsim.dram.device.log_file import Progress, read_commands
from hwsim.dram.device.standard import Standard

if TYPE_CHECKING:
    from hwsim.dram.device.stream_checker import StreamChecker


@dataclass(frozen=True, kw_only=True)
class CheckedLog:
    """How many commands each channel of a log has, and its first violation, if there is one."""

    standard: str
    commands: Mapping[int, int]
    violations: Mapping[int, Violation]

    @property
    def legal(self) -> bool:
        return not self.violations

    def to_text(self) -> str:
        """One line for the whole log, and one for each channel that broke a rule."""
        total, channels = sum(self.commands.values()), len(self.commands)
        whole = f"{total:,} commands on {channels} channel{'s' * (channels != 1)}: "
        lines = [whole + (f"all legal by {self.standard}" if self.legal else f"not legal by {self.standard}")]
        lines += [f"channel {channel}: {violation}" for channel, violation in self.violations.items()]
        return "\n".join(lines) + "\n"


def check_log(path: Path, standard: Standard, progress: Progress | None = None) -> CheckedLog:
    """Check a log that `--commands` wrote; also the modes, if the standard has a command that switches them.

    Raises
    ------
    DramError : the file is not a log, or names a command that the standard does not have
    TraceError : the file cannot be read
    """
    checker = None
    for rows in read_commands(path, standard, progress):
        checker = checker or _checker(standard)
        checker.feed(rows)
    checker = checker or _checker(standard)
    return CheckedLog(standard=standard.name, commands=checker.commands, violations=checker.violations)


def _checker(standard: Standard) -> StreamChecker:
    from hwsim.dram.device.stream_checker import StreamChecker  # a file that cannot be read needs no compiler

    return StreamChecker(standard, check_modes=MODE_SWITCH in standard.commands)
