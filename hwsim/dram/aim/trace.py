"""The text of AiM traces, line by line: the slow parser, which also produces every error message.

docs/aim-trace.md has the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hwsim.dram.aim.isa import ACTIVATION_FUNCTION, ACTIVATION_FUNCTIONS, OPERATIONS, TRACE_OPERATIONS, Instruction
from hwsim.dram.device.standard import Standard
from hwsim.errors import TraceError, nearest

_BLANKS = re.compile(r"[ \t\n\v\f\r,]+")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,15}|[0-9]{1,15}")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits within which the addresses of a trace must lie."""

    channels: int
    banks: int
    rows: int
    columns: int

    @classmethod
    def of(cls, standard: Standard, channels: int) -> Limits:
        return cls(channels=channels, banks=standard.banks, rows=standard.rows, columns=standard.columns)


def parse_line(line: str, limits: Limits) -> Instruction | None:
    """The instruction of one line; None for a blank line or a comment.

    Raises
    ------
    TraceError : not an instruction; the message says what was found and expected, not where
    """
    words = [word for word in _BLANKS.split(line.partition("#")[0]) if word]
    if not words:
        return None
    kind = words[0].upper()
    if kind == "AIM":
        return _aim(words[1:], limits)
    if kind in ("R", "W"):
        return _access(kind, words[1:], limits)
    raise TraceError(f"{_shown(words[0])} begins no instruction; expected AiM, R, W or #")


def _aim(words: list[str], limits: Limits) -> Instruction:
    if not words:
        raise TraceError("AiM without an operation")
    name = words[0].upper().removeprefix("ISR_")
    if name not in TRACE_OPERATIONS:
        raise TraceError(f"unknown instruction {_shown(words[0])}{nearest(name, TRACE_OPERATIONS)}")
    operation = OPERATIONS[name]
    if len(words) - 1 != len(operation.fields):
        wanted = " ".join(operation.fields) or "none"
        count = f"{len(operation.fields)} field{'s' * (len(operation.fields) != 1)}"
        raise TraceError(f"{name} takes {count} ({wanted}), found {len(words) - 1}")
    value = dict(zip(operation.fields, (_number(word) for word in words[1:]), strict=True))
    if "opsize" in value:
        # registers of the host have no row to check
        most = limits.columns if operation.command else 1 << 40
        _within(name, "opsize", value["opsize"], 1, most, "columns of a row")
    if "mask" in value:
        _within(name, "channel mask", value["mask"], 1, (1 << limits.channels) - 1, f"{limits.channels} channels")
    if "bank" in value:
        _within(name, "bank", value["bank"], 0, limits.banks - 1, f"{limits.banks} banks")
    if "row" in value:
        _within(name, "row", value["row"], 0, limits.rows - 1, f"{limits.rows} rows")
    opsize = value.get("opsize", 1) if operation.command else 1
    return Instruction(
        operation=name, opsize=opsize, mask=value.get("mask", 0), bank=value.get("bank", -1), row=value.get("row", -1)
    )


def _access(kind: str, words: list[str], limits: Limits) -> Instruction:
    region = words[0].upper() if words else ""
    fields = {"MEM": 3, "GPR": 1, "CFR": 2 if kind == "W" else 1}
    if region not in fields:
        raise TraceError(f"{kind} needs MEM, GPR or CFR, found {_shown(words[0]) if words else 'nothing'}")
    if len(words) - 1 != fields[region]:
        raise TraceError(
            f"{kind} {region} takes {fields[region]} field{'s' * (fields[region] > 1)}, found {len(words) - 1}"
        )
    values = [_number(word) for word in words[1:]]
    if region == "MEM":
        channel, bank, row = values
        _within(f"{kind} MEM", "channel", channel, 0, limits.channels - 1, f"{limits.channels} channels")
        _within(f"{kind} MEM", "bank", bank, 0, limits.banks - 1, f"{limits.banks} banks")
        _within(f"{kind} MEM", "row", row, 0, limits.rows - 1, f"{limits.rows} rows")
        name = "WR_SBK" if kind == "W" else "RD_SBK"
        return Instruction(operation=name, mask=1 << (limits.channels - 1 - channel), bank=bank, row=row)
    if region == "GPR":
        return Instruction(operation="HOST")
    _within(f"{kind} CFR", "register", values[0], 0, ACTIVATION_FUNCTION, "configuration registers")
    if kind == "R":
        return Instruction(operation="HOST")
    if values[0] == ACTIVATION_FUNCTION:
        _within("W CFR 2", "value", values[1], 0, ACTIVATION_FUNCTIONS - 1, "activation functions")
    return Instruction(operation="WR_CFR", bank=values[0], row=values[1])


def _number(word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise TraceError(f"{_shown(word)} is no number; expected decimal or 0x hexadecimal")
    return int(word, 16) if word[:2].lower() == "0x" else int(word)


def _within(name: str, field: str, value: int, least: int, most: int, what: str) -> None:
    if not least <= value <= most:
        raise TraceError(f"{name}: {field} {value} is out of range, expected {least} to {most} ({what})")


def _shown(word: str) -> str:
    """A word of a possibly binary file, made fit for a one-line message."""
    return ascii(word if len(word) <= 24 else word[:24] + "...")
