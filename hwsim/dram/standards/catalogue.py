"""What standards there are: bins, devices, refresh modes, speed and size of each, for people and for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hwsim.dram.standards.document import read_document
from hwsim.dram.standards.load import load_standard
from hwsim.dram.standards.source import STANDARDS

WIDTH = 110


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """One standard.

    Attributes
    ----------
    bin, device : the usual ones; None where there are none to choose from
    refresh : modes
    clock_hz, pin_bytes_per_s, bytes : command clock, bandwidth of the data pins and capacity of one channel, of the
        usual bin and device
    """

    name: str
    summary: str
    bin: str | None
    bins: tuple[str, ...]
    device: str | None
    devices: tuple[str, ...]
    refresh: tuple[str, ...]
    ranks: bool
    clock_hz: float
    pin_bytes_per_s: float
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    entries: Sequence[CatalogueEntry]

    def to_json(self) -> str:
        return json.dumps({"standards": [asdict(entry) for entry in self.entries]}, indent=2) + "\n"

    def to_text(self) -> str:
        """A few lines a standard; what it takes without being told stands in brackets."""
        return "".join(_lines(entry) for entry in self.entries)


def list_standards() -> Catalogue:
    """The shipped standards."""
    return Catalogue(entries=[_entry(name) for name in STANDARDS])


def _entry(name: str) -> CatalogueEntry:
    _, document = read_document(name)
    standard = load_standard(name, refresh=False)
    default = document.get("default", {})
    # a preset has the bins of its standard, and stands for one of them
    return CatalogueEntry(
        name=name,
        summary=document["summary"],
        bin=default.get("bin"),
        bins=tuple(document.get("bins", ())),
        device=default.get("device"),
        devices=tuple(document.get("devices", ())),
        refresh=tuple(document["refresh"]),
        ranks="rank" in standard.level_names,
        clock_hz=float(standard.clock_hz),
        pin_bytes_per_s=float(standard.column_bytes * standard.clock_hz / standard.params["nBL"]),
        bytes=standard.banks * standard.rows * standard.columns * standard.column_bytes,
    )


def _lines(entry: CatalogueEntry) -> str:
    size = f"{entry.pin_bytes_per_s / 1e9:.4g} GB/s at the pins, {entry.bytes / (1 << 20):,.0f} MiB a channel"
    head = f"{entry.name:12} {entry.summary}; {entry.clock_hz / 1e6:,.4g} MHz, {size}\n"
    rows = {
        "bins": _marked(entry.bins, entry.bin),
        "devices": _marked(entry.devices, entry.device),
        "refresh": "off " + _marked(entry.refresh, entry.refresh[0]),
        "ranks": "1 or more" if entry.ranks else "",
    }
    return head + "".join(_wrapped(what, text) for what, text in rows.items() if text)


def _marked(names: Sequence[str], usual: str | None) -> str:
    return " ".join(f"[{name}]" if name == usual else name for name in names)


def _wrapped(what: str, text: str) -> str:
    indent = " " * 13
    return textwrap.fill(text, WIDTH, initial_indent=f"{indent}{what:8} ", subsequent_indent=indent + " " * 9) + "\n"
