"""The parameters of the companion: sections `matrix` and `vector` of the machine's."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from hwsim.parameters.units import Bytes, Cycles

Latency: TypeAlias = Annotated[Cycles, Field(ge=1, le=64)]
LongLatency: TypeAlias = Annotated[Cycles, Field(ge=1, le=256)]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class MatrixSpec(_Checked):
    """The matrix unit, its buffers and its channels of HBM, which the vector lanes use too."""

    dsps: int = Field(ge=1, le=1 << 16, description="DSPs of its multiply-accumulates, as many as they make")
    array_rows: int = Field(
        ge=1, le=1024, description="vectors that are multiplied at a time; columns follow from dsps"
    )
    rows: int = Field(ge=1, le=1 << 16, description="most rows of a tile; fewer where a bank cannot hold them")
    channels: int = Field(ge=1, le=1024, description="pseudo channels of HBM for activations, row by row in turn")
    weight_channels: int = Field(ge=1, le=1024, description="pseudo channels of HBM for weights")
    buffer_bytes: Bytes = Field(
        ge=1, le=1 << 34, description="weights on the chip: those in use, and the next if they fit"
    )
    bank_bytes: Bytes = Field(ge=1, le=1 << 30, description="of each of two banks of rows read and two of rows written")
    multiply_latency: Latency = Field(description="from operands to product")
    add_latency: Latency = Field(description="from operands to sum")


class VectorSpec(_Checked):
    """The lanes for norms, activations, sums and all else that is no matrix."""

    lanes: int = Field(ge=1, le=1 << 12, description="elements at a time")
    adders: int = Field(ge=1, le=16, description="of a lane")
    multipliers: int = Field(ge=1, le=16, description="of a lane")
    add_latency: Latency = Field(description="from operands to sum")
    multiply_latency: Latency = Field(description="from operands to product")
    exp_latency: LongLatency = Field(description="of an exponential")
    divide_latency: LongLatency = Field(description="of a division")
    root_latency: LongLatency = Field(description="of a square root")
