"""The companion's units, made of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from hwsim.engine.unit_spec import UnitSpec
from hwsim.errors import MachineError
from hwsim.machines.swat.companion.spec import MatrixSpec, VectorSpec
from hwsim.mapping.formats import Float
from hwsim.rtl.buffer_memory.contract import BufferMemoryContract
from hwsim.rtl.contract import ContractError
from hwsim.rtl.matrix_unit.contract import MatrixUnitContract, multiply_accumulate
from hwsim.rtl.vector_lanes.contract import VectorLanesContract

BANKS = 4  # two for rows that are read, two for rows that are written


@dataclass(frozen=True, kw_only=True)
class Companion:
    """What the parameters describe, on the machine's clock and in its format.

    Attributes
    ----------
    tile_rows : most rows of a tile; a multiple of the channels
    channels, weight_channels : of HBM
    buffer_bytes : of weights; bank_bytes : of each bank of rows
    """

    matrix: MatrixUnitContract
    vector: VectorLanesContract
    clock_hz: int
    tile_rows: int
    channels: int
    weight_channels: int
    buffer_bytes: int
    bank_bytes: int

    @classmethod
    def of(cls, matrix: MatrixSpec, vector: VectorSpec, *, fmt: Float, sum_fmt: Float, clock_hz: int) -> Self:
        """The units of two sections of parameters.

        Raises
        ------
        MachineError : a budget too small for a column of the array, tiles that do not spread evenly over the channels,
            a format without operators
        """
        if matrix.rows % matrix.channels:
            raise MachineError(
                f"matrix.rows: {matrix.rows} rows of a tile do not spread evenly over {matrix.channels} channels"
            )
        try:
            return cls(
                matrix=_matrix_unit(matrix, fmt, sum_fmt),
                vector=VectorLanesContract.from_preset("assumed", **vector.model_dump()),
                clock_hz=clock_hz,
                tile_rows=matrix.rows,
                channels=matrix.channels,
                weight_channels=matrix.weight_channels,
                buffer_bytes=matrix.buffer_bytes,
                bank_bytes=matrix.bank_bytes,
            )
        except ContractError as cause:
            raise MachineError(f"companion: {cause}") from None

    @property
    def peak_macs_per_s(self) -> float:
        """Multiply-accumulates a second of a full array."""
        return float(self.matrix.macs_per_cycle * self.clock_hz)

    def units(self) -> tuple[UnitSpec, ...]:
        """The units on the FPGA, with their buffers."""

        def made(name: str, contract: MatrixUnitContract | VectorLanesContract | BufferMemoryContract) -> UnitSpec:
            return UnitSpec(name=name, kind="fpga", clock_hz=self.clock_hz, contract=contract)

        bits = self.matrix.fmt.bits
        word = max(self.matrix.array_rows, self.vector.lanes) * bits
        banks = BANKS * -(-8 * self.bank_bytes // word)
        weight_word = self.matrix.columns * bits
        return (
            made("matrix", self.matrix),
            made("vector", self.vector),
            made("matrix.weights", _memory(-(-8 * self.buffer_bytes // weight_word), weight_word)),
            made("matrix.rows", _memory(banks, word)),
        )


def _matrix_unit(spec: MatrixSpec, fmt: Float, sum_fmt: Float) -> MatrixUnitContract:
    """An array of as many columns as the budget gives."""
    each = multiply_accumulate(fmt, sum_fmt).dsp
    columns = spec.dsps // (each * spec.array_rows)
    if not columns:
        raise MachineError(
            f"matrix.dsps: {spec.dsps} make no column of {spec.array_rows} multiply-accumulates, of which each takes "
            f"{each} DSPs in {fmt}; expected at least {each * spec.array_rows}"
        )
    return MatrixUnitContract.from_preset(
        "assumed",
        fmt=fmt,
        sum_fmt=sum_fmt,
        array_rows=spec.array_rows,
        columns=columns,
        tile_rows=spec.rows,
        multiply_latency=spec.multiply_latency,
        add_latency=spec.add_latency,
    )


def _memory(words: int, width_bits: int) -> BufferMemoryContract:
    return BufferMemoryContract.from_preset("published", words=words, width_bits=width_bits)
