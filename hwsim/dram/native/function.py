"""Compiled functions that are called without numba, once their machine code is kept.

Importing numba, and having it load what it compiled in an earlier process, takes a few tenths of a second, much longer
than most plays. A `CompiledFunction` loads kept machine code with llvmlite alone. It imports numba only to compile what
is not kept yet, or was made from other sources or for another processor.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np

from hwsim.dram.native.machine_code import UnloadableError, find_kept, keep, load

_Call = Callable[[tuple[Any, ...], list[int]], int]  # with arguments as they are and flat
# With these numba checks what it otherwise trusts, or does not compile at all: kept code would ignore them.
_DEBUGGING = ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK")


class CompiledFunction:
    """A function of a module, compiled by numba for the types of its first call.

    It takes integers, C-contiguous arrays, and named tuples of these. It returns an integer, and writes other results
    into arrays. It allocates nothing and raises nothing: division by zero has no error either.

    Parameters
    ----------
    module : where the function is; imported only if it must be compiled
    function : its name there, decorated with `njit`
    """

    def __init__(self, module: str, function: str) -> None:
        self.module = module
        self.function = function
        self.from_kept_code = False
        self._arguments: _Arguments | None = None
        self._call: _Call | None = None

    def __call__(self, *arguments: Any) -> int:
        """Call the function.

        Raises
        ------
        TypeError : arguments of other types than those of the first call, or arrays that are not C-contiguous
        """
        if self._arguments is None or self._call is None:
            self._arguments = _Arguments(self.function, arguments)
            self._call = self._prepare(self._arguments.types)
        return self._call(arguments, self._arguments.flatten(arguments))

    def _prepare(self, types: tuple[Any, ...]) -> _Call:
        if any(os.environ.get(name, "0") != "0" for name in _DEBUGGING):
            return self._through_numba()
        signature = repr(types)
        code = find_kept(self.module, self.function, signature)
        self.from_kept_code = code is not None
        try:
            if code is None:
                from hwsim.dram.native.compile import compile_function

                code = compile_function(self.module, self.function, types)
                keep(self.module, self.function, signature, code)
            address = load(f"{self.module}.{self.function}", code)
        except UnloadableError:
            return self._through_numba()
        return _native_call(self.function, address, types)

    def _through_numba(self) -> _Call:
        function = getattr(import_module(self.module), self.function)
        return lambda arguments, flat: int(function(*arguments))


class _Arguments:
    """Arguments of a function as machine code takes them, of the types that the first ones had.

    A named tuple that is given again has the same arrays, so it is not looked at again.

    Attributes
    ----------
    types : `type_of` each
    """

    def __init__(self, function: str, first: tuple[Any, ...]) -> None:
        self.function = function
        self.types = tuple(map(type_of, first))
        self._last: list[Any] = [None] * len(first)
        self._flat: list[list[int]] = [[] for _ in first]

    def flatten(self, arguments: tuple[Any, ...]) -> list[int]:
        """One list for all arguments.

        Raises
        ------
        TypeError : of other types than the first ones
        """
        if len(arguments) != len(self.types):
            self._refuse(arguments)
        for place, argument in enumerate(arguments):
            if argument is self._last[place]:
                continue
            if type_of(argument) != self.types[place]:
                self._refuse(arguments)
            self._flat[place] = []
            _flatten(argument, self._flat[place])
            self._last[place] = argument if isinstance(argument, tuple) else None
        return list(chain.from_iterable(self._flat))

    def _refuse(self, arguments: tuple[Any, ...]) -> None:
        found = tuple(map(type_of, arguments))
        raise TypeError(f"{self.function} was compiled for {self.types}, and called with {found}")


def type_of(argument: Any) -> Any:
    """The type of an argument: "int", (dtype, axes) of an array, or (class, types of the fields) of a named tuple."""
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise TypeError("arrays must be C-contiguous")
        return argument.dtype.str, argument.ndim
    if isinstance(argument, tuple):
        kind = type(argument)
        return f"{kind.__module__}.{kind.__qualname__}", tuple(type_of(field) for field in argument)
    if isinstance(argument, int | np.integer):
        return "int"
    raise TypeError(f"expected integers, arrays or named tuples of them, got {type(argument).__name__}")


def _native_call(name: str, address: int, types: tuple[Any, ...]) -> _Call:
    """A caller of machine code by numba's convention: a place for the result, one for an exception, flat arguments."""
    slots = sum(_slots(each) for each in types)
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_int64] * (2 + slots))(address)
    result, exception = ctypes.c_int64(), ctypes.c_int64()
    places = ctypes.addressof(result), ctypes.addressof(exception)

    def call(_: tuple[Any, ...], flat: list[int]) -> int:
        status = function(*places, *flat)
        if status:
            raise RuntimeError(f"{name} ended with status {status}")
        return result.value

    return call


def _slots(type_: Any) -> int:
    if type_ == "int":
        return 1
    _, fields = type_
    return 5 + 2 * fields if isinstance(fields, int) else sum(_slots(field) for field in fields)


def _flatten(argument: Any, flat: list[int]) -> None:
    """Append an argument as numba passes it; an array is owner, parent, size, element's bytes, address, shape, strides.

    The owner stays out of it (0), so that the code counts no references.
    """
    if isinstance(argument, np.ndarray):
        flat += (0, 0, argument.size, argument.itemsize, argument.__array_interface__["data"][0])
        flat += argument.shape
        flat += argument.strides
    elif isinstance(argument, tuple):
        for field in argument:
            _flatten(field, flat)
    else:
        flat.append(int(argument))
