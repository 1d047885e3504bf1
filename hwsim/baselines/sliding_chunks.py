"""Longformer's sliding chunks: window attention by products of overlapping chunks, as a GPU runs it.

Modelled, not measured. Queries and keys are cut into chunks of 2w rows that overlap by w. Each chunk is a dense product
of 2w x 2w scores; the parallelogram of the window is copied out of them. The kernels are data, sliding_chunks.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import fsum, prod
from typing import Any

from hwsim.baselines.device import ELEMENT_BYTES, Device
from hwsim.baselines.roofline import Modelled, OperatorTime, kernel_time
from hwsim.data_file import read_data
from hwsim.errors import MachineError


@dataclass(frozen=True, kw_only=True)
class SlidingChunks:
    """Attention of one layer over one sequence.

    Attributes
    ----------
    overlap : w; a row sees itself and w keys on each side, and two chunks share w rows
    """

    tokens: int
    overlap: int
    heads: int
    head_dim: int

    def __post_init__(self) -> None:
        for name in ("tokens", "overlap", "heads", "head_dim"):
            if getattr(self, name) < 1:
                raise MachineError(f"sliding chunks: {name} must be at least 1, got {getattr(self, name)}")

    @property
    def rows(self) -> int:
        """Tokens, padded to a multiple of 2w as the library does."""
        return -(-self.tokens // (2 * self.overlap)) * 2 * self.overlap

    @property
    def chunks(self) -> int:
        return self.rows // self.overlap - 1

    @property
    def computed_scores(self) -> int:
        """Scores of one head that the products of the chunks compute."""
        return self.chunks * (2 * self.overlap) ** 2

    def attended_pairs(self, keys: int | None = None) -> int:
        """Pairs of one head in the window.

        Parameters
        ----------
        keys : 2w + 1, i-w to i+w (Longformer's, the default), or 2w, i-w to i+w-1 (SWAT's cores)

        Raises
        ------
        MachineError : another number of keys
        """
        w = self.overlap
        keys = 2 * w + 1 if keys is None else keys
        if keys not in {2 * w, 2 * w + 1}:
            raise MachineError(
                f"sliding chunks: a window of {keys} keys; chunks of {2 * w} hold {2 * w} or {2 * w + 1}"
            )
        return sum(max(0, self.tokens - abs(distance)) for distance in range(-w, keys - w))

    def redundant_fraction(self, keys: int | None = None) -> Fraction:
        """Share of the computed scores that are outside of the window or computed twice.

        For 2w keys and whole chunks it is 1/2 - 1/(4 chunks); with the key in the middle it is 1/(4w) less.
        """
        return 1 - Fraction(self.attended_pairs(keys), self.computed_scores)

    @cached_property
    def axes(self) -> Mapping[str, int]:
        """Sizes of the axes that sliding_chunks.yaml names."""
        w, rows = self.overlap, self.rows
        return {
            "heads": self.heads, "head_dim": self.head_dim, "rows": rows, "rows+2w": rows + 2 * w,
            "chunks": self.chunks, "blocks": rows // w, "w-1": w - 1, "w": w, "w+1": w + 1, "2w": 2 * w,
            "2w+1": 2 * w + 1, "3w": 3 * w, "3w+2": 3 * w + 2,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One launch: what it multiplies, and the bytes that it reads and writes, each once."""

    name: str
    macs: int
    read_bytes: int
    written_bytes: int

    @property
    def moved_bytes(self) -> int:
        return self.read_bytes + self.written_bytes


def kernels(shape: SlidingChunks, element_bytes: int) -> tuple[Kernel, ...]:
    """The kernels of one layer in the order in which they run.

    Parameters
    ----------
    element_bytes : of the format that the device runs the model in; the softmax is in FP32 whatever that is
    """
    document = read_data("hwsim.baselines", "sliding_chunks.yaml")
    size = {
        name: _elements(shape, tensor["shape"]) * (ELEMENT_BYTES["fp32"] if "format" in tensor else element_bytes)
        for name, tensor in document["tensors"].items()
    }
    return tuple(_kernel(entry, shape, size) for entry in document["kernels"])


def kernel_times(shape: SlidingChunks, device: Device, fmt: str) -> tuple[OperatorTime, ...]:
    """Every kernel of one layer on a device.

    Parameters
    ----------
    fmt : number format of the model; the device runs it as `device.runs(fmt)`
    """
    return tuple(
        kernel_time(kernel.name, "kernel", macs=kernel.macs, moved_bytes=kernel.moved_bytes, device=device, fmt=fmt)
        for kernel in kernels(shape, ELEMENT_BYTES[device.runs(fmt)])
    )


def sliding_chunks(shape: SlidingChunks, device: Device, fmt: str) -> Modelled:
    """Time and energy of one layer's attention, from projected q, k and v to joined heads."""
    times = kernel_times(shape, device, fmt)
    return Modelled(
        device=device,
        format=device.runs(fmt),
        busy_s=fsum(time.busy_s for time in times),
        overhead_s=fsum(time.overhead_s for time in times),
    )


def _kernel(entry: Mapping[str, Any], shape: SlidingChunks, size: Mapping[str, int]) -> Kernel:
    return Kernel(
        name=entry["name"],
        macs=_elements(shape, entry["products"]) if "products" in entry else 0,
        read_bytes=sum(size[name] for name in entry.get("reads", ())),
        written_bytes=sum(size[name] for name in entry["writes"]),
    )


def _elements(shape: SlidingChunks, axes: Iterable[str]) -> int:
    return prod(shape.axes[axis] for axis in axes)
