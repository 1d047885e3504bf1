"""The fields of a standard's file, checked: types, ranges, and that what one field names another one has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from hwsim.errors import DramError, nearest
from hwsim.mapping.yaml_file import first_problem

MOST = 1 << 30
Grade = Literal["S", "R", "C", "M", "A"]
Count = Annotated[int, Field(ge=1, le=MOST, strict=True)]


def _clock(value: Any) -> Any:
    """A number of Hz, or a quotient of two as text: 3200000000/3."""
    try:
        hz = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        hz = Fraction(0)
    if isinstance(value, bool) or hz <= 0:
        raise ValueError("expected a clock in Hz above 0, as a number or a quotient such as 3200000000/3")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    raise ValueError("expected a number or an expression")


def _timing_names(timing: dict[str, Any]) -> dict[str, Any]:
    for name in timing:
        if not re.fullmatch(r"t\w+_ns|n\w+", name):
            raise ValueError(f"{name!r} is neither tNAME_ns (nanoseconds) nor nNAME (cycles)")
    return timing


Clock = Annotated[int | float | str, BeforeValidator(_clock)]
Number = Annotated[Any, BeforeValidator(_number)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Value(_Part):
    value: Number
    grade: Grade
    source: str | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)


def _value_or_number(value: Any) -> Any:
    return _Value.model_validate(value) if isinstance(value, Mapping) else _number(value)


Timing = Annotated[dict[str, Annotated[Any, BeforeValidator(_value_or_number)]], AfterValidator(_timing_names)]


class _Group(_Part):
    """Timing, and grade and source of those of its values that have none of their own."""

    timing: Timing = Field(default_factory=dict)
    grade: Grade | None = None
    source: str | None = None

    @model_validator(mode="after")
    def _is_graded(self) -> _Group:
        bare = [name for name, value in self.timing.items() if not isinstance(value, _Value)]
        if bare and self.grade is None:
            raise ValueError(
                f"timing.{bare[0]}: needs a grade (S, R, C, M or A), its own or one of the group around it"
            )
        return self


class _Places(_Group):
    """What any group may also say of the organisation."""

    clock_hz: Clock | None = None
    rows: Count | None = None
    columns: Count | None = None
    column_bytes: Count | None = None


class _Speed(_Places):
    pages: dict[str, _Group] = Field(default_factory=dict)


class _Bin(_Places):
    speed: Any = None


class _Device(_Places):
    page: str | None = None
    levels: dict[str, Count] = Field(default_factory=dict)


class _Command(_Part):
    scope: str
    kind: Literal["activate", "precharge", "column", "register", "refresh", "other"]
    activate: str | None = None
    precharge: str | None = None
    access: Literal["read", "write", "compute"] | None = None
    auto_precharge: bool = Field(default=False, strict=True)
    reserved: bool = Field(default=False, strict=True)
    duration: Number = 1
    stride: Number = None


class _Refresh(_Part):
    command: str
    precharge: str
    interval: Number


class _Rounding(_Part):
    clocks: float = Field(default=0, ge=0, lt=1)
    share: float = Field(default=0, ge=0, lt=1)


class _Preset(_Part):
    standard: str
    bin: str | None = None
    device: str | None = None


class _PresetFile(_Part):
    name: str
    summary: str = ""
    preset: _Preset


class _File(_Places):
    name: str
    summary: str = ""
    default: dict[Literal["bin", "device"], str] = Field(default_factory=dict)
    rounding: _Rounding = Field(default_factory=_Rounding)
    levels: dict[str, Count]
    reserved_rows: int = Field(default=0, ge=0, strict=True)
    constraints: str
    unplayed: list[str] = Field(default_factory=list)
    commands: dict[str, _Command]
    refresh: dict[str, _Refresh]
    speeds: dict[Any, _Speed] = Field(default_factory=dict)
    bins: dict[str, _Bin] = Field(default_factory=dict)
    devices: dict[str, _Device] = Field(default_factory=dict)


def check_document(document: Mapping[str, Any], *, origin: str) -> None:
    """Check the file of a standard; what only numbers can show, such as timing in a circle, is found when it loads.

    Raises
    ------
    DramError : one line that names file and field
    """
    try:
        if "preset" in document:
            _PresetFile.model_validate(document)
            return
        file = _File.model_validate(document)
    except ValidationError as cause:
        raise DramError(f"{origin}: {first_problem(cause)}") from None
    for problem in _contradictions(file):
        raise DramError(f"{origin}: {problem}")


def _contradictions(file: _File) -> Iterator[str]:
    """What one field says and another denies."""
    yield from _levels(file)
    yield from _choices(file)
    for name, command in file.commands.items():
        yield from _command(file, name, command)
    for name, access in (("RD", "read"), ("WR", "write")):
        if name not in file.commands or file.commands[name].access != access:
            yield f"commands: needs {name}, a column command of one bank with access: {access}"
    for mode, rule in file.refresh.items():
        for field, kind in (("command", "refresh"), ("precharge", "precharge")):
            yield from _named(file, f"refresh.{mode}.{field}", getattr(rule, field), kind)


def _levels(file: _File) -> Iterator[str]:
    names = list(file.levels)
    known = ("channel", "rank", "bankgroup", "bank")
    if names != [level for level in known if level in names] or names[:1] != ["channel"] or names[-1:] != ["bank"]:
        yield (
            f"levels: expected some of {', '.join(known)} in this order, channel and bank among them, "
            f"got {', '.join(names)}"
        )
    if file.levels.get("channel", 1) != 1:
        yield f"levels.channel: a standard is one channel, got {file.levels['channel']}"


def _choices(file: _File) -> Iterator[str]:
    for what, there in (("bin", file.bins), ("device", file.devices)):
        usual = file.default.get(what)  # type: ignore[call-overload]
        if usual is None and there:
            yield f"default.{what}: this field is required where there are {what}s"
        if usual is not None and usual not in there:
            yield f"default.{what}: no {what} {usual!r}{nearest(usual, there)}"
    pages = {page for speed in file.speeds.values() for page in speed.pages}
    for name, bin in file.bins.items():
        if bin.speed is not None and bin.speed not in file.speeds:
            yield f"bins.{name}.speed: no speed {bin.speed!r}; there are {', '.join(map(str, file.speeds)) or 'none'}"
    for name, device in file.devices.items():
        if device.page is not None and device.page not in pages:
            yield f"devices.{name}.page: no page {device.page!r}; there are {', '.join(sorted(pages)) or 'none'}"
        for level in device.levels:
            if level not in file.levels:
                yield f"devices.{name}.levels: no level {level!r}; there are {', '.join(file.levels)}"
    for field in ("clock_hz", "rows", "columns", "column_bytes"):
        yield from _stated(file, field)


def _stated(file: _File, field: str) -> Iterator[str]:
    """A part of the organisation must be stated for every choice of a bin and a device."""
    if getattr(file, field) is not None:
        return
    speeds = {name for name, speed in file.speeds.items() if getattr(speed, field) is not None}
    bins = [getattr(bin, field) is not None or bin.speed in speeds for bin in file.bins.values()]
    devices = [getattr(device, field) is not None for device in file.devices.values()]
    if not (bins and all(bins)) and not (devices and all(devices)):
        yield f"{field}: this field is required, in the file or in each of its bins or devices"


def _command(file: _File, name: str, command: _Command) -> Iterator[str]:
    if command.scope not in file.levels:
        yield f"commands.{name}.scope: no level {command.scope!r}; there are {', '.join(file.levels)}"
    if command.kind != "column":
        return
    for field, kind in (("activate", "activate"), ("precharge", "precharge")):
        wanted = getattr(command, field)
        if wanted is None:
            yield f"commands.{name}.{field}: this field is required of a column command"
        yield from _named(file, f"commands.{name}.{field}", str(wanted), kind)
        if file.commands[str(wanted)].scope != command.scope:
            yield f"commands.{name}.{field}: {wanted} has scope {file.commands[str(wanted)].scope}, not {command.scope}"


def _named(file: _File, place: str, name: str, kind: str) -> Iterator[str]:
    if name not in file.commands:
        yield f"{place}: no command {name!r}{nearest(name, file.commands)}"
    elif file.commands[name].kind != kind:
        yield f"{place}: {name} is of kind {file.commands[name].kind}, expected {kind}"
