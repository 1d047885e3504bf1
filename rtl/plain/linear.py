"""Contracts of the linear unit and its loader without double buffers, or with an exact GELU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.plain.gelu import GeluExactContract
from hwsim.rtl.plain.unproven import Unproven, without
from hwsim.rtl.weight_loader.contract import WeightLoaderContract


class _SingleBank:
    """A unit that is loaded and used in turn."""

    @property
    def banks(self) -> int:
        return 1


class _ExactGelu:
    """A unit whose results pass an exact GELU."""

    preset: str

    @property
    def gelu(self) -> GeluExactContract:
        """The GELU lanes inside."""
        base = "published" if self.preset == "published" else "rtl"
        return GeluExactContract.from_preset(base, lanes=self.out_lanes, value=self.accumulator)  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class LinearExactContract(Unproven, _ExactGelu, LinearContract):  # type: ignore[misc]
    """The unified unit with an exact GELU."""

    block: ClassVar[str] = "linear_exact"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(LinearContract.presets, "the GELU approximation")


@dataclass(frozen=True, kw_only=True)
class LinearSingleContract(Unproven, _SingleBank, LinearContract):
    """A unit of one type of layer."""

    block: ClassVar[str] = "linear_single"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(LinearContract.presets, "the unified linear unit")


@dataclass(frozen=True, kw_only=True)
class LinearSingleExactContract(Unproven, _SingleBank, _ExactGelu, LinearContract):  # type: ignore[misc]
    """Both."""

    block: ClassVar[str] = "linear_single_exact"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(
        LinearContract.presets, "the unified linear unit and the GELU approximation"
    )


@dataclass(frozen=True, kw_only=True)
class WeightLoaderSingleContract(Unproven, _SingleBank, WeightLoaderContract):
    """The loader of a unit of one type of layer."""

    block: ClassVar[str] = "weight_loader_single"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(
        WeightLoaderContract.presets, "the unified linear unit"
    )
