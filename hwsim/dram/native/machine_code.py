"""Machine code that is kept between processes: where it lies, whether it still holds, and how it is loaded.

A file of kept code begins with a line of JSON: the digests of every source file that the code was made from, those
that its module imports from this package included, and the digest of the code. One changed byte anywhere makes it void.
The file's name has the digest of what else decides: the types of the arguments, the processor, the compiler's version.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

ENTRY = "hwsim_kernel"  # the symbol of the function
_libraries: list[Any] = []  # loaded code; LLVM unloads it when the last reference goes


class UnloadableError(Exception):
    """Machine code cannot be written out or loaded on this platform."""


def find_kept(module: str, function: str, signature: str) -> bytes | None:
    """The kept code of a function, unless there is none or its sources have changed."""
    root = _root_of(module)
    for folder in _folders(module):
        try:
            header, _, code = (folder / _file_name(function, signature)).read_bytes().partition(b"\n")
            kept = json.loads(header)
        except (OSError, ValueError):
            continue
        if kept["code"] == _digest(code) and all(_digest_of(root / p) == d for p, d in kept["sources"].items()):
            return code
    return None


def keep(module: str, function: str, signature: str, code: bytes) -> None:
    """Keep the code of a function, if there is a folder for it."""
    root = _root_of(module)
    sources = {str(path.relative_to(root)): _digest_of(path) for path in sources_of(module)}
    header = json.dumps({"code": _digest(code), "sources": sources}).encode()
    for folder in _folders(module):
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / _file_name(function, signature)
            beside = path.with_suffix(f".{os.getpid()}")
            beside.write_bytes(header + b"\n" + code)
            beside.replace(path)
            return


def load(name: str, code: bytes) -> int:
    """Load the code of a function; return its address.

    Raises
    ------
    UnloadableError : LLVM refuses it
    """
    try:
        library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process().export_symbol(ENTRY)
        _libraries.append(library.link(_linker(), f"{name}.{len(_libraries)}"))
    except (AttributeError, RuntimeError) as cause:
        raise UnloadableError(str(cause)) from None
    return int(_libraries[-1][ENTRY])


@cache
def target_machine() -> Any:
    """This processor, for code that may lie anywhere in memory."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, reloc="pic"
    )


@cache
def _linker() -> Any:
    return llvm.create_lljit_compiler(target_machine())


def sources_of(module: str) -> list[Path]:
    """The file of a module, and those of every module of its package that it imports, directly or not."""
    root, package = _root_of(module), module.partition(".")[0]
    found: dict[Path, None] = {}
    waiting = [module]
    while waiting:
        path = _file_of(root, waiting.pop())
        if path is not None and path not in found:
            found[path] = None
            waiting += _imports(path, package)
    return list(found)


def _imports(path: Path, package: str) -> Iterator[str]:
    """What a file imports from a package; of `from a import b` both a and a.b, since b may be a module."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.partition(".")[0] == package)


def _root_of(module: str) -> Path:
    """The folder that holds the package of a module."""
    spec = find_spec(module.partition(".")[0])
    assert spec is not None, f"{module} lies in no package"
    assert spec.origin is not None, f"{module} lies in no package"
    return Path(spec.origin).parent.parent


def _file_of(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _folders(module: str) -> Iterator[Path]:
    """Where code may be kept: beside the source, in the user's cache, or in a temporary folder of the user's own."""
    file = _file_of(_root_of(module), module)
    assert file is not None, f"there is no module {module}"
    if os.access(file.parent, os.W_OK) or (file.parent / "__pycache__").is_dir():
        yield file.parent / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~")) / ".cache") / "hwsim"
    own = Path(tempfile.gettempdir()) / f"hwsim-{os.getuid()}"
    if not own.exists() or own.stat().st_uid == os.getuid():
        yield own


def _file_name(function: str, signature: str) -> str:
    return f"{function}-{_digest(f'{signature} {_environment()}'.encode())[:16]}.kernel"


@cache
def _environment() -> str:
    """What the code depends on besides its sources: processor and compiler."""
    version = _digest_of(_root_of("numba") / "numba" / "_version.py")
    features = llvm.get_host_cpu_features().flatten()
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {features} {llvm.llvm_version_info} {version}"


def _digest_of(path: Path) -> str:
    try:
        return _digest(path.read_bytes())
    except OSError:
        return ""


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
