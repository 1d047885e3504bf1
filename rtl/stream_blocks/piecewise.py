"""Piecewise polynomials in RTL (`rtl.piecewise`): a table, then a product and a sum per degree."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from amaranth import Module, Value, ValueLike
from amaranth.lib import data

from hwsim.rtl.fixed_point import recode
from hwsim.rtl.piecewise import Piecewise
from hwsim.rtl.stream_blocks.pipeline import Pipeline
from hwsim.rtl.stream_blocks.rom import read_rom
from hwsim.rtl.streams import shape_of


def evaluate(
    m: Module, pipe: Pipeline, p: Piecewise, segment: Value, rest: Value, **along: ValueLike
) -> tuple[Value, SimpleNamespace]:
    """The value of the polynomial after `p.stages` cycles, and the values `along`, delayed equally."""
    layout = data.StructLayout({f"c{i}": shape_of(fmt) for i, fmt in enumerate(p.coefficient_formats())})
    row = data.View(layout, read_rom(m, "coefficients", _rows(p), layout.size, segment, pipe))
    now = pipe.stage(rest=rest, **along)
    value, lower = row[f"c{p.degree}"], {f"c{i}": row[f"c{i}"] for i in range(p.degree)}
    for degree, fmt in zip(reversed(range(p.degree)), p.value_formats()):
        now = pipe.stage(product=value * now.rest, rest=now.rest, **lower, **_pick(now, along))
        constant, lower = getattr(now, f"c{degree}"), _pick(now, (f"c{i}" for i in range(degree)))
        total = recode((now.product >> p.rest_bits) + constant, p.fraction, fmt)
        now = pipe.stage(value=total, rest=now.rest, **lower, **_pick(now, along))
        value, lower = now.value, _pick(now, lower)
    return value, SimpleNamespace(**_pick(now, along))


def _pick(values: SimpleNamespace, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(values, name) for name in names}


def _rows(p: Piecewise) -> list[int]:
    """The coefficients of a segment in one row, the constant term lowest."""
    rows = []
    for column in p.coefficients().T:
        row, low = 0, 0
        for code, fmt in zip(column, p.coefficient_formats()):
            row |= (int(code) & ((1 << fmt.width) - 1)) << low
            low += fmt.width
        rows.append(row)
    return rows
