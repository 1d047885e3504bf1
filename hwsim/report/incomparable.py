"""What of several reports cannot be compared, in plain words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from hwsim.report.quantities import hertz_text
from hwsim.report.schema import Report

# Sections that stand alone where only some reports have them, and what their figures are about.
SECTIONS: dict[str, str] = {
    "decoding": "tokens one by one",
    "dram": "DRAM commands",
    "fpga": "cells of an FPGA",
    "loads": "work that depends on data",
    "passes": "images one after the other",
    "attention": "rows through cores that hold keys",
}


def letters(count: int) -> list[str]:
    """Names for reports: A to Z, then R27 and so on."""
    return [chr(ord("A") + i) if i < 26 else f"R{i + 1}" for i in range(count)]


def incomparable(reports: Sequence[Report]) -> list[str]:
    """A line for everything that some reports have and others have not, or count in another unit.

    The first report is called A, the next B, and so on.
    """
    return list(_lines(reports))


def _lines(reports: Sequence[Report]) -> Iterator[str]:
    units = _by(reports, lambda report: f"{report.throughput.unit}/s")
    if len(units) > 1:
        yield f"throughput: {_each(units)}; different things come out, so there is no ratio"
    clocks = _by(reports, lambda report: hertz_text(report.clock_hz))
    if len(clocks) > 1:
        yield f"cycles: {_each(clocks)}; compare the latencies"
    for name, about in SECTIONS.items():
        having = _by(reports, lambda report, name=name: getattr(report, name) is not None)  # type: ignore[misc]
        if len(having) > 1:
            yield f"{name} ({about}): in {_joined(having[True])}, not in {_joined(having[False])}"
    modelled = _by(reports, lambda report: report.energy is not None)
    if len(modelled) > 1:
        yield f"energy: not modelled in {_joined(modelled[False])}"
    several = _by(reports, lambda report: report.devices is not None)
    if len(several) > 1:
        yield f"devices: {_joined(several[True])} counts units, bytes and commands of all its devices"


def _by(reports: Iterable[Report], key: Callable[[Report], object]) -> dict[object, list[str]]:
    """Reports by something that they have."""
    found: dict[object, list[str]] = defaultdict(list)
    listed = list(reports)
    for letter, report in zip(letters(len(listed)), listed):
        found[key(report)].append(letter)
    return dict(found)


def _each(found: dict[object, list[str]]) -> str:
    return ", ".join(f"{_joined(names)} in {what}" for what, names in found.items())


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
