"""Where numba keeps the compiled kernels, and when it must not use them again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numba

config: Any = numba.config  # its attributes are created at import, where no type checker sees them
_KERNELS = Path(__file__).parent.parent  # all of them lie below hwsim/dram
_COMPILED = (b"njit", b"device.compiled", b"Enum", b"NamedTuple")  # in sources that a kernel may be made from


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


def forget_stale_code(folder: Path = _KERNELS) -> bool:
    """Remove compiled kernels if a source that they may have been made from has changed; return whether it had.

    numba looks at the file of a function alone, while a kernel contains functions and constants of other files too.
    Only sources that can be written are edited, and their compiled code lies beside them.
    """
    if not os.access(folder, os.W_OK):
        return False
    kept = folder / "device" / "__pycache__" / "kernel_sources.txt"
    sources = sorted(path for path in folder.rglob("*.py"))
    times = _digest(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}".encode() for path in sources)
    before = kept.read_text().split() if kept.is_file() else []
    if before[:1] == [times]:
        return False
    texts = (path.read_bytes() for path in sources)
    contents = _digest(text for text in texts if any(sign in text for sign in _COMPILED))
    changed = before[1:] != [contents]
    if changed:
        for index in folder.rglob("__pycache__/*.nbi"):
            index.unlink(missing_ok=True)
    kept.parent.mkdir(exist_ok=True)
    beside = kept.with_suffix(f".{os.getpid()}")
    beside.write_text(f"{times} {contents}\n")
    beside.replace(kept)
    return changed


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


forget_stale_code()
