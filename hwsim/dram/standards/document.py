"""The file of a standard, and what it says for one speed bin and one device.

A file may state some things for all its devices and others for some of them. Later ones replace earlier ones:

    timing                      for all
    speeds.SPEED.timing         of a data rate; a bin names its speed
    bins.BIN.timing             of a speed bin
    speeds.SPEED.pages.PAGE     of a data rate and a size of rows; a device names its page
    devices.DEVICE              density and width: timing, levels, rows, columns

A timing parameter is a value (number or expression) with grade and source, or the value alone where the group around it
has them. `preset` makes a file another name for a bin and a device of a standard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hwsim.dram.standards.source import Source, find_source
from hwsim.dram.standards.timing import Rounding, cycles_name
from hwsim.errors import DramError, nearest


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a file says for one bin and one device.

    Attributes
    ----------
    bin, device : which; None where the file has none to choose from
    source : the files that say it; of a preset, those of the standard that it is a preset of
    timing : each parameter's value, grade and source, by the name that the file uses
    constraints : the name of the table
    unplayed : commands of the table that no program can contain
    refresh : command, precharge and interval by mode; the first mode is the usual one
    """

    name: str
    source: Source
    bin: str | None
    device: str | None
    clock_hz: Fraction
    levels: Mapping[str, int]
    rows: int
    columns: int
    column_bytes: int
    reserved_rows: int
    rounding: Rounding
    timing: Mapping[str, Mapping[str, Any]]
    commands: Mapping[str, Mapping[str, Any]]
    constraints: str
    unplayed: tuple[str, ...]
    refresh: Mapping[str, Mapping[str, str]]


def read_document(name: str) -> tuple[Source, dict[str, Any]]:
    """The file of a standard, shipped or a user's; for a preset that of the standard, with the preset's choice.

    Raises
    ------
    DramError : there is none of that name, a user's file with a field that is wrong, a preset of a preset
    """
    source = find_source(name)
    document = source.document()
    preset = document.get("preset")
    if not preset:
        return source, document
    source = find_source(preset["standard"])
    whole = source.document()
    if "preset" in whole:
        raise DramError(f"{name}: preset.standard: {preset['standard']} is a preset itself")
    chosen = {key: preset[key] for key in ("bin", "device") if preset.get(key)}
    return source, {**whole, "default": {**whole.get("default", {}), **chosen}, "summary": document.get("summary", "")}


def choose(name: str, *, bin: str | None = None, device: str | None = None) -> Choice:
    """What the file of a standard says for a bin and a device, by default the file's own choice.

    Raises
    ------
    DramError : an unknown standard, a bin or device that it has not
    """
    source, document = read_document(name)
    default = document.get("default", {})
    chosen_bin = _chosen(name, document, "bins", bin, default.get("bin"))
    chosen_device = _chosen(name, document, "devices", device, default.get("device"))
    of_bin = document["bins"][chosen_bin] if chosen_bin else {}
    of_speed = document["speeds"][of_bin["speed"]] if "speed" in of_bin else {}
    of_device = document["devices"][chosen_device] if chosen_device else {}
    of_page = of_speed.get("pages", {}).get(of_device.get("page"), {})
    groups = (document, of_speed, of_bin, of_page, of_device)
    whole: dict[str, Any] = {}
    for group in groups:
        whole.update(group)
    return Choice(
        name=name,
        source=source,
        bin=chosen_bin,
        device=chosen_device,
        clock_hz=Fraction(str(whole["clock_hz"])),
        levels={**document["levels"], **of_device.get("levels", {})},
        rows=whole["rows"],
        columns=whole["columns"],
        column_bytes=whole["column_bytes"],
        reserved_rows=whole.get("reserved_rows", 0),
        rounding=Rounding(**{key: Fraction(str(value)) for key, value in document.get("rounding", {}).items()}),
        timing=_merged(groups),
        commands=document["commands"],
        constraints=document["constraints"],
        unplayed=tuple(document.get("unplayed", ())),
        refresh=document["refresh"],
    )


def _chosen(name: str, document: Mapping[str, Any], what: str, wanted: str | None, usual: str | None) -> str | None:
    there = document.get(what, {})
    if wanted is None:
        return usual
    if not there:
        raise DramError(f"standard {name}: there are no {what} to choose from, got {wanted!r}")
    if wanted not in there:
        raise DramError(f"standard {name}: no {what[:-1]} {wanted!r}{nearest_of(wanted, there)}")
    return wanted


def nearest_of(wanted: str, there: Iterable[str]) -> str:
    """The nearest of some names, and all of them, for a message."""
    names = list(there)
    near = nearest(wanted, names)
    return f"{near if near.startswith('; nearest') else ''}; there are {', '.join(names)}"


def _merged(groups: tuple[Mapping[str, Any], ...]) -> dict[str, Mapping[str, Any]]:
    """Timing of all groups; a later group replaces what an earlier one says, in ns or in cycles."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for group in groups:
        for key, entry in _entries(group):
            found[cycles_name(key)] = key, entry
    return dict(found.values())


def _entries(group: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    common = {key: group[key] for key in ("grade", "source") if key in group}
    for key, entry in group.get("timing", {}).items():
        yield key, entry if isinstance(entry, Mapping) else {"value": entry, **common}
