"""`hwsim check`: whether every command of a log keeps the constraints of its standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from hwsim.dram.device.checker import MODE_SWITCH, Violation
from hwsim.dram.device.log_file import Progress, read_commands
from hwsim.dram.device.standard import Standard


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
    chunks = read_commands(path, standard, progress)
    first = next(chunks, None)  # a file that cannot be read needs no compiler
    from hwsim.dram.device.stream_checker import StreamChecker

    checker = StreamChecker(standard, check_modes=MODE_SWITCH in standard.commands)
    for rows in chain([] if first is None else [first], chunks):
        checker.feed(rows)
    return CheckedLog(standard=standard.name, commands=checker.commands, violations=checker.violations)
