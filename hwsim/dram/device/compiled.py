"""How functions are compiled.

numba counts references to every array that a function is given, also inside named tuples. A state of 20 arrays then
costs more than what most functions do with it. Functions that make no arrays and keep none need no counts: they are
`borrowing`. Small ones are `inlined`, which also spares a call to compile.
"""

from __future__ import annotations

from typing import Any

import numba

from hwsim.dram.device.kernel_cache import find_cache_folder

find_cache_folder()

njit: Any = numba.njit  # its types lack `_nrt`
compiled = njit(cache=True, error_model="numpy")
borrowing = njit(cache=True, error_model="numpy", _nrt=False)
inlined = njit(cache=True, error_model="numpy", inline="always")
