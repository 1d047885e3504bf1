"""Weights from a folder of `.float32.bin`, `.npy`, `.npz` or `.safetensors`, by the names of the model's tensors.

`.float32.bin` and `.npy` hold one tensor and are named after it (`h.0.attn.c_attn.weight.npy`); the others hold any
number. `.float32.bin` has values alone, little-endian and row by row, so that its size is all that can be checked.
Names may begin with the model's own (`transformer.`, `model.`); tensors that the model does not need are ignored.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.errors import WeightsError, nearest

Tensor = NDArray[np.float32]
Shape = tuple[int, ...]

RAW = ".float32.bin"
SUFFIXES = (RAW, ".npy", ".npz", ".safetensors")


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """A tensor in a file, read when it is needed."""

    file: Path
    read: Callable[[], NDArray[Any]]


def read_folder(folder: Path, shapes: Mapping[str, Shape], prefixes: Sequence[str]) -> dict[str, Tensor]:
    """The tensors of these names and shapes, checked.

    Raises
    ------
    WeightsError : a tensor that is missing, given twice, of another shape or type, or with values that are not finite;
        the message names tensor and file
    """
    stored = _index(folder, prefixes)
    return {name: _checked(folder, name, shape, stored) for name, shape in shapes.items()}


def _checked(folder: Path, name: str, shape: Shape, stored: dict[str, _Stored]) -> Tensor:
    if name not in stored:
        raise WeightsError(f"{folder}: no tensor {name}{nearest(name, stored)}")
    file = stored[name].file
    try:
        tensor = stored[name].read()
    except Exception as cause:  # whatever a damaged file makes its reader raise
        raise WeightsError(f"{file}: tensor {name} cannot be read: {cause or type(cause).__name__}") from None
    if tensor.dtype.kind != "f" and str(tensor.dtype) != "bfloat16":
        raise WeightsError(f"{file}: tensor {name} holds {tensor.dtype}, expected floating-point numbers")
    if file.name.endswith(RAW):
        tensor = _shaped(file, tensor, shape)
    if tensor.shape != shape:
        raise WeightsError(f"{file}: tensor {name} has shape {_text(tensor.shape)}, expected {_text(shape)}")
    with np.errstate(over="ignore"):
        values = tensor.astype(np.float32)
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        value = values[tuple(bad[0])]
        raise WeightsError(f"{file}: tensor {name} has {value} at {_text(tuple(bad[0]))} ({len(bad)} not finite)")
    return values


def _shaped(file: Path, values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """The values of a file without a shape in the one that is expected."""
    if values.size != prod(shape):
        size = file.stat().st_size
        raise WeightsError(f"{file}: {size} bytes, expected {4 * prod(shape)} for {_text(shape)} of float32")
    return values.reshape(shape)


def _index(folder: Path, prefixes: Sequence[str]) -> dict[str, _Stored]:
    """Every tensor of a folder by its name; only the lists of names are read so far."""
    if not folder.exists():
        raise WeightsError(f"{folder}: no such folder; expected a folder of weights or random:SEED")
    if not folder.is_dir():
        raise WeightsError(f"{folder}: is a file, expected a folder of {', '.join(SUFFIXES)}")
    found: dict[str, _Stored] = {}
    for file in sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES)):
        for name, read in _tensors(file).items():
            short = next((name.removeprefix(prefix) for prefix in prefixes if name.startswith(prefix)), name)
            if short in found:
                raise WeightsError(f"{file}: tensor {short} is also in {found[short].file}")
            found[short] = _Stored(file=file, read=read)
    if not found:
        raise WeightsError(f"{folder}: no tensors; expected files of {', '.join(SUFFIXES)}")
    return found


def _tensors(file: Path) -> dict[str, Callable[[], NDArray[Any]]]:
    """Readers of the tensors in a file.

    Raises
    ------
    WeightsError : the file cannot be read, or its content does not match its ending
    """
    if file.name.endswith(RAW):
        return {file.name.removesuffix(RAW): lambda: _raw(file)}
    if file.suffix == ".npy":
        return {file.stem: lambda: np.load(file, allow_pickle=False)}
    if file.suffix == ".npz":
        try:
            with zipfile.ZipFile(file) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
        except (OSError, zipfile.BadZipFile) as cause:
            raise WeightsError(f"{file}: cannot be read: {cause}") from None
        return {name: lambda name=name: np.load(file, allow_pickle=False)[name] for name in names}  # type: ignore[misc]
    return _safetensors(file)


def _raw(file: Path) -> NDArray[Any]:
    """All values of a file, as many as there may be."""
    content = file.read_bytes()
    if len(content) % 4:
        raise ValueError(f"{len(content)} bytes are no whole number of float32")
    return np.frombuffer(content, dtype="<f4")


def _safetensors(file: Path) -> dict[str, Callable[[], NDArray[Any]]]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise WeightsError(f"{file}: reading it needs the package safetensors: pip install hwsim[weights]") from None

    def read(name: str) -> NDArray[Any]:
        with safe_open(file, framework="numpy") as tensors:
            values: NDArray[Any] = tensors.get_tensor(name)
        return values

    try:
        with safe_open(file, framework="numpy") as tensors:
            names = list(tensors.keys())
    except (OSError, SafetensorError) as cause:
        raise WeightsError(f"{file}: cannot be read: {cause}") from None
    return {name: lambda name=name: read(name) for name in names}  # type: ignore[misc]


def _text(sizes: tuple[Any, ...]) -> str:
    return "(" + ", ".join(str(int(size)) for size in sizes) + ")"
