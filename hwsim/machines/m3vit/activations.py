"""Where images, results and what passes between the steps of a layer lie in the board's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from hwsim.errors import MachineError
from hwsim.machines.m3vit.pipelines import Rows
from hwsim.machines.m3vit.sizes import Sizes
from hwsim.machines.m3vit.spec import DATA_PORT, M3vitSpec
from hwsim.machines.m3vit.weights import ALIGN
from hwsim.mapping.operators import PatchEmbed

BETWEEN = (
    "x",
    "queries",
    "attended",
    "normed",
    "hidden",
)  # buffers that are on the chip unless the spec says otherwise


@dataclass(frozen=True, kw_only=True)
class Activations:
    """Buffers by name: the image, the results, and those of `BETWEEN`, each of a row a token.

    Attributes
    ----------
    addresses : buffer -> where it begins; end : where the last one ends
    in_memory : buffers that units read and write there; the others stay on the chip and have no rows
    """

    addresses: Mapping[str, int]
    end: int
    in_memory: frozenset[str]
    beat_bytes: int
    burst: int
    number_bytes: int
    pixel_bytes: int

    @classmethod
    def of(cls, spec: M3vitSpec, sizes: Sizes, embed: PatchEmbed, *, batch: int, begin: int) -> Self:
        """The buffers of a model, from an address on.

        Parameters
        ----------
        batch : images that pass together

        Raises
        ------
        MachineError : more than the memory holds
        """
        number, tokens = spec.formats.number_bytes("activation"), sizes.tokens * batch
        pixel = spec.formats.number_bytes("pixel")
        rows = dict.fromkeys(("x", "queries", "attended", "normed", "results"), sizes.width * number)
        rows["hidden"] = max(sizes.hidden, 1) * number
        wanted = {"image": batch * embed.patches * embed.patch_elements * pixel}
        wanted |= {name: tokens * size for name, size in rows.items()}
        addresses, address = {}, begin
        for name, size in wanted.items():
            addresses[name] = address
            address += -(-size // ALIGN) * ALIGN
        capacity = spec.memory_system.mapping.capacity_bytes
        if address > capacity:
            raise MachineError(f"{spec.name}: parameters and buffers need {address} B, the memory holds {capacity} B")
        between = frozenset(BETWEEN) if spec.activations == "memory" else frozenset[str]()
        return cls(
            addresses=addresses,
            end=address,
            in_memory=between | {"image", "results"},
            beat_bytes=spec.axi.width_bits // 8,
            burst=spec.axi.burst_beats,
            number_bytes=number,
            pixel_bytes=pixel,
        )

    def rows(self, name: str, tokens: int, elements: int, *, skipped: int = 0, port: str = DATA_PORT) -> Rows | None:
        """Rows of a buffer one after the other; None for one on the chip.

        Parameters
        ----------
        skipped : rows before the first
        """
        if name not in self.in_memory:
            return None
        beats = self._beats(name, elements)
        start = self.addresses[name] + skipped * beats * self.beat_bytes
        return Rows(port=port, row_beats=beats, burst=self.burst, chunks=(start,), chunk_rows=tokens)

    def gathered(self, name: str, numbers: Sequence[int], elements: int) -> Rows | None:
        """Rows of some tokens by their numbers; None for a buffer on the chip."""
        if name not in self.in_memory:
            return None
        beats = self._beats(name, elements)
        chunks = tuple(self.addresses[name] + number * beats * self.beat_bytes for number in numbers)
        return Rows(port=DATA_PORT, row_beats=beats, burst=self.burst, chunks=chunks, chunk_rows=1)

    def _beats(self, name: str, elements: int) -> int:
        size = elements * (self.pixel_bytes if name == "image" else self.number_bytes)
        return -(-size // self.beat_bytes)
