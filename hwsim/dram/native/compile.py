"""From a function to machine code that needs nothing but itself: numba compiles, llvmlite writes it out."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np

from hwsim.dram.native.machine_code import ENTRY, target_machine

# Called when the last reference to an array goes. Functions are handed arrays without an owner, so that is never.
_NEVER_CALLED = "define void @NRT_MemInfo_call_dtor(ptr %owner) { ret void }"


def compile_function(module: str, function: str, types: tuple[Any, ...]) -> bytes:
    """Object code with the function as `ENTRY`, for arguments of the given types (`function.type_of`).

    Raises
    ------
    TypeError : the function allocates, raises or calls Python, so that it needs more than its own code
    """
    arguments = tuple(_numba_type(each) for each in types)
    dispatcher = getattr(import_module(module), function)
    options = {**dispatcher.targetoptions, "error_model": "numpy"}
    compiled: Any = numba.jit(numba.types.int64(*arguments), **options)(dispatcher.py_func)
    whole = llvm.parse_assembly(compiled.inspect_llvm(arguments))
    _hide_all_but(whole, compiled.overloads[arguments].fndesc.llvm_func_name)
    foreign = [name for name in _undefined(whole) if name not in ("memcpy", "memset", "memmove")]
    if "NRT_MemInfo_call_dtor" in foreign:
        whole.link_in(llvm.parse_assembly(_NEVER_CALLED))
        foreign.remove("NRT_MemInfo_call_dtor")
    if foreign:
        raise TypeError(f"{module}.{function} needs {', '.join(sorted(foreign))}; expected nothing but its own code")
    code: bytes = target_machine().emit_object(whole)
    return code


def _numba_type(type_: Any) -> Any:
    if type_ == "int":
        return numba.types.int64
    first, second = type_
    if isinstance(second, int):
        return numba.types.Array(numba.from_dtype(np.dtype(first)), second, "C")
    module, _, name = first.rpartition(".")
    make: Any = numba.types.NamedTuple
    return make([_numba_type(each) for each in second], getattr(import_module(module), name))


def _hide_all_but(module: Any, entry: str) -> None:
    """Make everything but the entry local, then remove what is not used, and pass no argument that is not read.

    numba passes an array as 5 numbers and 2 for each axis, of which a function reads few. Between local functions the
    others go, which matters with named tuples of many arrays.
    """
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != entry:
            value.linkage = "internal"
    module.get_function(entry).name = ENTRY
    builder = llvm.create_pass_builder(target_machine(), llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)


def _undefined(module: Any) -> list[str]:
    """Functions that are declared only, without those that LLVM turns into instructions."""
    return [f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")]
