"""How the kernels are compiled.

A kernel's state is named arrays in tuples that go from function to function. numba counts references to each array at
every such step, which takes hundreds of times as long as the work itself (a function with a tuple of 30 arrays: 300 ns
instead of 1.5 ns). Kernels only work on arrays that their caller holds and make none, so nothing needs to be counted.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from hwsim.dram.device.kernel_cache import find_cache_folder

find_cache_folder()

# Typed as anything, since the option that leaves out counting is not declared.
_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False}
compiled: Any = njit(**_OPTIONS)
# Called by other kernels alone, whose code contains it: not kept apart, and not callable from Python, which saves time.
part: Any = njit(**{**_OPTIONS, "cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True})
# In the caller's code, so that the tuples' many fields are not passed at each call.
inlined: Any = njit(**_OPTIONS, inline="always")
# For kernels of other packages, which contain functions of this one: their caches would not notice that those changed.
compiled_outside: Any = njit(**{**_OPTIONS, "cache": False})
