"""What a machine states about its parameters: type, unit, range, meaning."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from hwsim.cli import main
from hwsim.errors import MachineError
from hwsim.machines import MACHINES
from hwsim.parameters.parameter import Meaning, Parameter
from hwsim.parameters.spec_file import SpecFile
from hwsim.parameters.units import Bytes, Hertz, Nanoseconds
from hwsim.parameters.variants import VariantSpecFile

EVERY = [(name, parameter) for name, load in MACHINES.items() for parameter in load().spec_file.parameters()]
SUFFIXES = {"_hz": "Hz", "_bytes": "B", "_ns": "ns", "gb_per_s": "GB/s", "_gbps": "Gb/s", "_cycles": "cycles"}


class Link(BaseModel):
    latency_ns: Nanoseconds = Field(gt=0, le=1e9, description="of each transfer")


class Spec(BaseModel):
    clock_hz: Hertz = Field(ge=1_000, le=1_000_000, description="clock")
    buffer_bytes: Bytes = Field(ge=32, multiple_of=32, description="buffer")
    refresh: bool = Field(description="whether it is refreshed")
    functions: list[str] = Field(description="functions")
    bin: str | None = Field(max_length=64, description="speed bin")
    link: Link
    timing: dict[str, float] = Field(description="timing by name")


def test_a_parameter_tells_what_its_field_says() -> None:
    file = SpecFile(
        model=Spec,
        defaults={
            "clock_hz": 5_000, "buffer_bytes": 64, "refresh": True, "functions": [], "bin": None,
            "link": {"latency_ns": 2.5}, "timing": {"nRP": 3, "x": 1.5},
        },
        provenance={},
        meanings={"timing.nRP": Meaning(description="close a row", type="integer", unit="cycles", least=0)},
    )  # fmt: skip
    assert file.parameters() == (
        Parameter(
            name="clock_hz", type="integer", default=5_000, description="clock", unit="Hz", least=1_000,
            greatest=1_000_000,
        ),
        Parameter(
            name="buffer_bytes", type="integer", default=64, description="buffer", unit="B", least=32, step=32
        ),
        Parameter(name="refresh", type="boolean", default=True, description="whether it is refreshed"),
        Parameter(name="functions", type="list", default=[], description="functions"),
        Parameter(name="bin", type="text", default=None, description="speed bin", nullable=True),
        Parameter(
            name="link.latency_ns", type="number", default=2.5, description="of each transfer", unit="ns", above=0,
            greatest=1e9,
        ),
        Parameter(
            name="timing.nRP", type="integer", default=3, description="close a row", unit="cycles", least=0
        ),
        Parameter(name="timing.x", type="number", default=1.5, description="timing by name"),
    )  # fmt: skip


def test_a_range_in_words() -> None:
    def text(**ends: Any) -> str:
        return Parameter(name="x", type="number", default=1, **ends).range_text()

    assert text(least=1, greatest=4096) == "1 to 4,096"
    assert text(above=0, greatest=1e6) == "above 0, to 1e+06"
    assert text(least=32, step=32) == "from 32, multiples of 32"
    assert text(choices=("paper", "overlap")) == "paper, overlap"
    assert text(least=1, nullable=True) == "from 1, or null"
    assert text(nullable=True) == "number, or null"
    assert text() == ""


@pytest.mark.parametrize(("machine", "parameter"), EVERY, ids=lambda value: getattr(value, "name", value))
def test_every_parameter_has_a_meaning_and_the_unit_of_its_name(machine: str, parameter: Parameter) -> None:
    assert parameter.description
    expected = next((unit for suffix, unit in SUFFIXES.items() if parameter.name.endswith(suffix)), None)
    if expected:
        assert parameter.unit == expected
    assert (parameter.type in ("integer", "number")) == (parameter.greatest is not None)


@pytest.mark.parametrize(("machine", "parameter"), EVERY, ids=lambda value: getattr(value, "name", value))
def test_values_beyond_a_declared_range_are_refused(machine: str, parameter: Parameter) -> None:
    beyond: list[Any] = []
    if parameter.least is not None:
        beyond.append(parameter.least - 1)
    if parameter.above is not None:
        beyond.append(parameter.above)
    if parameter.greatest is not None:
        beyond.append(parameter.greatest + 1)
    if parameter.choices:
        beyond.append("no_such_word")
    for value in beyond:
        with pytest.raises(MachineError, match=parameter.name.rpartition(".")[2]):
            _load(machine, parameter.name, value)


def test_a_value_that_is_not_given_is_null_in_a_file_of_ones_own(tmp_path: Path) -> None:
    file = MACHINES["m3vit"]().spec_file
    own = tmp_path / "own.yaml"
    own.write_text(file.dump(file.load(None, {"memory.bin": None})))
    assert file.load(own, {}).memory.bin is None


def _load(machine: str, name: str, value: Any) -> None:
    file = MACHINES[machine]().spec_file
    values = {}
    if isinstance(file, VariantSpecFile):  # a variant that has the parameter
        values[file.field] = next(key for key, variant in file.variants.items() if name in variant.keys())  # noqa: SIM118
    MACHINES[machine]().check(file.load(None, {**values, name: value}))


def test_the_command_line_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["machine", "aim", "--parameters"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("host.clock_hz"))
    assert line.split()[1:6] == ["1000000000", "Hz", "1,000", "to", "100,000,000,000"]
    assert line.rstrip().endswith("clock of the host unit")
