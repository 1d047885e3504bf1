"""The result of a synthesis, and the data file that keeps results.

`find_synthesis` finds one; it needs none of the tools.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hwsim.rtl.contract import Contract

DATA_FILE = Path(__file__).parent / "data.json"
SCHEMA = "hwsim-synthesis 1"


class RecordError(ValueError):
    """The data file is invalid."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Resources of a module, without those of the modules within it.

    Attributes
    ----------
    lut : look-up tables, including those used as memory, shift registers and inverters
    carry : CARRY4 (xcup) or CCU2C (ecp5)
    dsp : DSP48E2, or MULT18X18D of ECP5
    bram36 : blocks of 36 Kb in steps of a half; on ECP5 a block of 18 Kb counts as a half
    other : cells of any other kind
    """

    lut: int = 0
    ff: int = 0
    carry: int = 0
    dsp: int = 0
    bram36: float = 0
    uram: int = 0
    other: int = 0

    def __add__(self, more: Cells) -> Cells:
        return Cells(**{f.name: getattr(self, f.name) + getattr(more, f.name) for f in fields(self)})

    def __mul__(self, count: int) -> Cells:
        return Cells(**{f.name: getattr(self, f.name) * count for f in fields(self)})


@dataclass(frozen=True, kw_only=True)
class Part:
    """A module of a design: the number of its instances, and the resources of one."""

    module: str
    count: int
    cells: Cells


@dataclass(frozen=True, kw_only=True)
class Route:
    """The result of place and route.

    Attributes
    ----------
    fmax_hz : of `clk`, with registers at all ports of the block
    used : cells of the device, including the registers at the ports
    """

    device: str
    fmax_hz: float
    used: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """The resources of a block on a family of FPGAs.

    Attributes
    ----------
    target : xcup or ecp5
    parameters : parameters of the contract, as text and numbers
    tools : name and version of each
    route : for ecp5 only
    """

    block: str
    target: str
    parameters: Mapping[str, Any]
    tools: Mapping[str, str]
    parts: tuple[Part, ...]
    route: Route | None = None

    @property
    def total(self) -> Cells:
        return sum((part.cells * part.count for part in self.parts), Cells())

    def to_json(self) -> str:
        return json.dumps(_as_record(self), indent=1) + "\n"

    def to_text(self) -> str:
        """A table: one line per sub-block, then the sum."""
        names = [f.name for f in fields(Cells)]
        total = Part(module="total", count=1, cells=self.total)
        rows = [
            [part.module, str(part.count), *(f"{getattr(part.cells, name):g}" for name in names)]
            for part in (*self.parts, total)
        ]
        header = ["module", "count", *(name.upper() for name in names)]
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        lines = [
            "  ".join(text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths)))
            for row in [header, *rows]
        ]
        tools = ", ".join(f"{name} {version}" for name, version in self.tools.items())
        lines = [f"{self.block} on {self.target} ({tools}); cells of one module, then of all", *lines]
        if self.route:
            used = ", ".join(f"{count} {kind}" for kind, count in self.route.used.items())
            lines.append(
                f"Fmax {self.route.fmax_hz / 1e6:.1f} MHz on {self.route.device}, registers at all ports: {used}"
            )
        return "\n".join(lines) + "\n"


def find_synthesis(contract: Contract, target: str = "xcup", path: Path = DATA_FILE) -> Synthesis | None:
    """The kept result for exactly these parameters, or none.

    Raises
    ------
    RecordError : the file is not a data file of results
    """
    wanted = (contract.block, target, contract.parameters())
    return next((r for r in read_records(path) if (r.block, r.target, dict(r.parameters)) == wanted), None)


def read_records(path: Path = DATA_FILE) -> list[Synthesis]:
    """All results of a data file.

    Raises
    ------
    RecordError : it cannot be read or is not a data file of results
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise RecordError(f"{path}: expected schema {SCHEMA!r}, got {document['schema']!r}")
        return [_from_record(record) for record in document["results"]]
    except OSError as cause:
        raise RecordError(f"{path}: cannot be read: {cause.strerror or cause}") from None
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError):
        raise RecordError(f"{path}: is no file of synthesis results") from None


def records_text(records: Sequence[Synthesis]) -> str:
    """The text of a data file; among results for the same block, target and parameters the last is kept."""
    kept = {(r.block, r.target, json.dumps(dict(r.parameters), sort_keys=True)): r for r in records}
    ordered = [_as_record(kept[key]) for key in sorted(kept)]
    return json.dumps({"schema": SCHEMA, "results": ordered}, indent=1) + "\n"


def _as_record(result: Synthesis) -> dict[str, Any]:
    record = asdict(result)
    for part in record["parts"]:  # counts of zero are omitted
        part["cells"] = {name: count for name, count in part["cells"].items() if count}
    return {key: value for key, value in record.items() if value is not None}


def _from_record(record: Mapping[str, Any]) -> Synthesis:
    """A result; KeyError or TypeError if the record is invalid."""
    parts = tuple(Part(**{**part, "cells": Cells(**part["cells"])}) for part in record["parts"])
    route = Route(**record["route"]) if "route" in record else None
    result = Synthesis(**{**record, "parts": parts, "route": route})
    texts = [result.block, result.target, *(part.module for part in parts), *result.tools.values()]
    counts = [n for part in parts for n in (part.count, *asdict(part.cells).values())]
    if route:
        texts.append(route.device)
        counts += [route.fmax_hz, *route.used.values()]
    values = result.parameters.values()
    if not (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(n, int | float) and n >= 0 for n in counts)
        and all(isinstance(value, str | int | float) for value in values)
    ):
        raise TypeError
    return result
