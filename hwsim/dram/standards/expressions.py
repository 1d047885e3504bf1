"""Latencies as text: sums and differences of parameters, and the larger or smaller of several."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction

from hwsim.errors import DramError, nearest

Cycles = Callable[[Fraction], int]


def evaluate(expression: str, params: Mapping[str, int], cycles: Cycles | None = None) -> int:
    """Value of an expression such as `nCL + nBL + 3 - nCWL` or `max(4, ns(7.5))`.

    Parameters
    ----------
    params : the value of each name
    cycles : turns nanoseconds into cycles for `ns(...)`; without it, `ns` is refused

    Raises
    ------
    DramError : no expression, an unknown name (the message names the nearest), any other operation
    """
    try:
        parsed = ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise DramError(f"latency {expression!r}: no expression") from None
    return _Evaluation(expression, params, cycles).value(parsed)


class _Evaluation:
    """One expression with what its names stand for."""

    def __init__(self, text: str, params: Mapping[str, int], cycles: Cycles | None) -> None:
        self.text, self.params, self.cycles = text, params, cycles

    def value(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                return value
            case ast.Name(id=name):
                if name not in self.params:
                    raise DramError(f"latency {self.text!r}: no parameter {name!r}{nearest(name, self.params)}")
                return self.params[name]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.value(left) + self.value(right)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return self.value(left) - self.value(right)
            case ast.Call(func=ast.Name(id="max"), args=[_, *_] as parts, keywords=[]):
                return max(self.value(part) for part in parts)
            case ast.Call(func=ast.Name(id="min"), args=[_, *_] as parts, keywords=[]):
                return min(self.value(part) for part in parts)
            case ast.Call(func=ast.Name(id="ns"), args=[ast.Constant(value=int() | float() as time)]) if self.cycles:
                return self.cycles(Fraction(str(time)))
            case _:
                raise DramError(
                    f"latency {self.text!r}: only sums and differences of parameters and integers, max and min are "
                    f"understood{', and ns(time)' if self.cycles else ''}"
                )
