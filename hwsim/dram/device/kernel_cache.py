"""Where numba keeps the compiled kernel."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numba

config: Any = numba.config  # its attributes are created at import, where no type checker sees them


def find_cache_folder() -> None:
    """Give numba a folder of last resort.

    It keeps compiled code next to the source or in the user's cache folder, and refuses to compile if it can write to
    neither (a package installed by root, a user without a home).
    """
    beside = Path(__file__).parent
    home = Path(os.path.expanduser("~"))
    candidates = (beside, home / ".cache", home)
    writable = any(folder.is_dir() and os.access(folder, os.W_OK) for folder in candidates)
    if not config.CACHE_DIR and not writable:
        config.CACHE_DIR = str(Path(tempfile.gettempdir()) / f"hwsim-numba-{os.getuid()}")
