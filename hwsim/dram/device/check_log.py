"""`hwsim check`: whether every command of a log keeps the constraints of its standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hwsim.dram.device.checker import Violation, first_violation
from hwsim.dram.device.log import read_log
from hwsim.dram.device.standard import Standard
from hwsim.errors import DramError


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


def check_log(path: Path, standard: Standard) -> CheckedLog:
    """Check a log that `--commands` wrote; also the modes, if the standard has a command that switches them.

    Raises
    ------
    DramError : the file is not a log, or names a command that the standard does not have
    """
    logs = read_log(path)
    unknown = {entry.command for entries in logs.values() for entry in entries} - set(standard.commands)
    if unknown:
        raise DramError(f"{path}: standard {standard.name} has no command {min(unknown)}")
    modes = "TMOD" in standard.commands
    found = {channel: first_violation(entries, standard, check_modes=modes) for channel, entries in logs.items()}
    return CheckedLog(
        standard=standard.name,
        commands={channel: len(entries) for channel, entries in sorted(logs.items())},
        violations={channel: violation for channel, violation in sorted(found.items()) if violation},
    )
