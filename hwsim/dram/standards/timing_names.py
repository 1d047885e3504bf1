"""What the timing parameters of a standard mean."""

from __future__ import annotations

from collections.abc import Mapping

from hwsim.data_file import read_data
from hwsim.dram.standards.load import MOST_TIME, timing_defaults
from hwsim.parameters.parameter import Meaning


def timing_meanings(standard: str) -> dict[str, Meaning]:
    """The meaning of each timing parameter of a standard, by its name there."""
    names = read_data("hwsim.dram.standards", "timing_names.yaml")
    return {key: _meaning(key, names) for key in timing_defaults(standard)}


def _meaning(key: str, names: Mapping[str, str]) -> Meaning:
    in_ns = key.endswith("_ns")
    return Meaning(
        description=names[key[1:].removesuffix("_ns")],
        type="number" if in_ns else "integer",
        unit="ns" if in_ns else "cycles",
        least=0,
        greatest=MOST_TIME,
    )
