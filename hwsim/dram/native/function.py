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
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from hwsim.dram.native.machine_code import UnloadableError, find_kept, keep, load

# With these numba checks what it otherwise trusts, or does not compile at all: kept code would ignore them.
_DEBUGGING = ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK")
_NOTHING = object()  # which no argument is


_announce: list[Callable[[], None]] = []  # what is told before numba compiles


def announce_compilation(tell: Callable[[], None]) -> None:
    """Have `tell` called once, before something must be compiled, which may take most of a minute."""
    _announce[:] = [tell]


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
        self._call: Callable[..., int] | None = None

    def __call__(self, *arguments: Any) -> int:
        """Call the function.

        Raises
        ------
        TypeError : arguments of other types than those of the first call, or arrays that are not C-contiguous
        """
        if self._call is None:
            self._call = self._prepare(arguments)
        return self._call(*arguments)

    def _prepare(self, first: tuple[Any, ...]) -> Callable[..., int]:
        if any(os.environ.get(name, "0") != "0" for name in _DEBUGGING):
            return self._through_numba()
        types = tuple(map(type_of, first))
        signature = repr(types)
        code = find_kept(self.module, self.function, signature)
        self.from_kept_code = code is not None
        try:
            if code is None:
                from hwsim.dram.native.compile import compile_function

                if _announce:
                    _announce.pop()()
                code = compile_function(self.module, self.function, types)
                keep(self.module, self.function, signature, code)
            return _NativeCall(self.function, load(f"{self.module}.{self.function}", code), types)
        except UnloadableError:
            return self._through_numba()

    def _through_numba(self) -> Callable[..., int]:
        return getattr(import_module(self.module), self.function)  # type: ignore[no-any-return]


class _NativeCall:
    """Calls machine code with words in memory: where the result goes, where an exception goes, then the arguments.

    A named tuple that is given again has the same arrays, so its words stay.
    """

    def __init__(self, name: str, address: int, types: tuple[Any, ...]) -> None:
        self.name = name
        self.types = types
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(address)
        self._result, self._exception = ctypes.c_int64(), ctypes.c_int64()
        ends = list(accumulate(map(_words, types), initial=2))
        self._places = [slice(begin, end) for begin, end in pairwise(ends)]
        self._words: Any = (ctypes.c_int64 * ends[-1])(
            ctypes.addressof(self._result), ctypes.addressof(self._exception)
        )
        self._at = ctypes.addressof(self._words)
        self._last: list[Any] = [_NOTHING] * len(types)  # named tuples

    def __call__(self, *arguments: Any) -> int:
        if len(arguments) != len(self.types):
            self._refuse(arguments)
        for i, argument in enumerate(arguments):
            if argument is self._last[i]:
                continue
            if type_of(argument) != self.types[i]:
                self._refuse(arguments)
            self._last[i] = argument if isinstance(argument, tuple) else _NOTHING
            flat: list[int] = []
            _flatten(argument, flat)
            self._words[self._places[i]] = flat
        status = self._function(self._at)
        if status:
            raise RuntimeError(f"{self.name} ended with status {status}")
        return self._result.value

    def _refuse(self, arguments: tuple[Any, ...]) -> None:
        found = tuple(map(type_of, arguments))
        raise TypeError(f"{self.name} was compiled for {self.types}, and called with {found}")


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


def _words(type_: Any) -> int:
    if type_ == "int":
        return 1
    _, fields = type_
    return 5 + 2 * fields if isinstance(fields, int) else sum(_words(field) for field in fields)


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
