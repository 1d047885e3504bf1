"""The formats of a log of DRAM commands: ours, which `hwsim check` reads, and those of DRAMPower.

DRAMPower 4 (README, "Command Traces") reads `timestamp,command,bank`, DRAMPower 5 (`parse_command_list` of its command
line) `timestamp,command,rank,bank group,bank,row,column` and, after reads and writes, the data in hexadecimal digits.
Both count in cycles, number the banks within their rank and end with END. Neither knows channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.log_file import LOG_COLUMNS
from hwsim.dram.device.standard import Command, Standard
from hwsim.errors import DramError, nearest

COMMAND_FORMATS = ("csv", "drampower4", "drampower5")
Entry = tuple[int, int, int, int, int, int]  # channel, cycle, command, bank, row, column


@dataclass(frozen=True, kw_only=True)
class CommandFormat:
    """Our own format, and what the others have in common.

    Attributes
    ----------
    names : of the commands by their number; None for one that the format has no name for
    """

    standard: Standard
    names: tuple[str | None, ...]

    @property
    def header(self) -> str:
        return ",".join(LOG_COLUMNS) + "\n"

    def lines(self, entry: Entry) -> str:
        """One command, as the line or lines that stand for it."""
        channel, cycle, command, bank, row, column = entry
        return f"{cycle},{channel},{self.names[command]},{bank},{row},{column}\n"

    def end(self, cycle: int) -> str:
        """What follows the last command of a play that ends in this cycle."""
        return ""

    def name(self, command: int) -> str:
        """
        Raises
        ------
        DramError : the format has none
        """
        name = self.names[command]
        if name is None:
            found = list(self.standard.commands)[command]
            raise DramError(f"--commands-format: DRAMPower has no name for command {found} of {self.standard.name}")
        return name


class DramPower4(CommandFormat):
    """One rank; a refresh of several banks is one of each."""

    @property
    def header(self) -> str:
        return ""

    def lines(self, entry: Entry) -> str:
        _, cycle, command, bank, _, _ = entry
        name = self.name(command)
        if name == "REFB":
            banks = self.standard.banks_of(list(self.standard.commands)[command], bank)
            return "".join(f"{cycle},{name},{each}\n" for each in banks)
        return f"{cycle},{name},{max(bank, 0)}\n"

    def end(self, cycle: int) -> str:
        return f"{cycle},END,0\n"


class DramPower5(CommandFormat):
    """Data is not played: reads and writes carry zeros, for which DRAMPower can take toggle rates instead."""

    @property
    def header(self) -> str:
        return ""

    def lines(self, entry: Entry) -> str:
        _, cycle, command, bank, row, column = entry
        name, s = self.name(command), self.standard
        rank, within = divmod(max(bank, 0), s.banks_per_rank)
        group = within // s.banks_below("bankgroup") if "bankgroup" in s.level_names else 0
        data = "," + "00" * s.column_bytes if name in _WITH_DATA else ""
        return f"{cycle},{name},{rank},{group},{within},{max(row, 0)},{max(column, 0)}{data}\n"

    def end(self, cycle: int) -> str:
        return f"{cycle},END,0,0,0,0,0\n"


_WITH_DATA = ("RD", "RDA", "WR", "WRA")


class CommandLog:
    """A log in one format."""

    def __init__(self, file: TextIO, command_format: CommandFormat) -> None:
        self._file, self._format = file, command_format
        file.write(command_format.header)

    def write(self, entries: NDArray[np.int64]) -> None:
        """Add commands, (n, 6): channel, cycle, command, bank, row, column."""
        self._file.writelines(self._format.lines(entry) for entry in entries.tolist())

    def end(self, cycle: int) -> None:
        """Add nothing more after this."""
        self._file.write(self._format.end(cycle))


def load_format(name: str, standard: Standard, channels: int) -> CommandFormat:
    """A format by name.

    Raises
    ------
    DramError : no such format, more channels or ranks than it knows
    """
    if name not in COMMAND_FORMATS:
        raise DramError(f"--commands-format: no format {name!r}{nearest(name, COMMAND_FORMATS)}")
    if name == "csv":
        return CommandFormat(standard=standard, names=tuple(standard.commands))
    if channels > 1:
        raise DramError(f"--commands-format {name}: DRAMPower reads one channel, got --channels {channels}")
    if name == "drampower5":
        return DramPower5(standard=standard, names=_names(standard, _names5(standard)))
    if standard.ranks > 1:
        raise DramError(
            f"--commands-format {name}: DRAMPower 4 reads one rank, got {standard.ranks}; drampower5 has ranks"
        )
    return DramPower4(standard=standard, names=_names(standard, {"bank": "REFB", "rank": "REF"}))


def _names5(standard: Standard) -> Mapping[str, str]:
    """Refreshes of some banks: one, two (LPDDR5), or the same of every bank group (DDR5)."""
    covered = {len(standard.banks_of(c.name, 0)) for c in standard.commands.values() if _fine(c)}
    return {"bank": {1: "REFB", 2: "REFP2B"}.get(max(covered, default=1), "REFSB"), "rank": "REFA"}


def _fine(command: Command) -> bool:
    return command.kind == "refresh" and command.scope == "bank"


def _names(standard: Standard, refreshes: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(_name(command, standard, refreshes) for command in standard.commands.values())


def _name(command: Command, standard: Standard, refreshes: Mapping[str, str]) -> str | None:
    one_bank = command.scope == "bank"
    whole_rank = command.scope == standard.rank_level or standard.banks_below(command.scope) == standard.banks
    if command.kind == "refresh" and (one_bank or whole_rank):
        return refreshes["bank" if one_bank else "rank"]
    if command.kind == "activate" and one_bank:
        return "ACT"
    if command.kind == "precharge" and (one_bank or whole_rank):
        return "PRE" if one_bank else "PREA"
    if command.kind == "column" and one_bank and command.access in ("read", "write"):
        return ("RD" if command.access == "read" else "WR") + "A" * command.auto_precharge
    return None
