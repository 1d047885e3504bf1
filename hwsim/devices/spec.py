"""Parameters of several devices, for machines that support them."""

from __future__ import annotations

from fractions import Fraction
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hwsim.parameters.units import GigabytesPerSecond, Nanoseconds


class LinkSpec(BaseModel):
    """The link of a device to its neighbours; it can send and receive at the same time."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    gb_per_s: GigabytesPerSecond = Field(gt=0, le=1e6, strict=False, description="each way, of each device")
    latency_ns: Nanoseconds = Field(ge=0, le=1e9, strict=False, description="of each transfer")

    def send_ns(self, size_bytes: int) -> Fraction:
        """Time of one transfer to a neighbour."""
        return Fraction(str(self.latency_ns)) + size_bytes / Fraction(str(self.gb_per_s))

    def all_reduce_ns(self, size_bytes: int, devices: int) -> Fraction:
        """Time of the transfers of a ring all-reduce, after which all devices have the sum of a vector.

        Parts go round the ring twice, `devices - 1` transfers each time: first they are added up, then the sums are
        distributed.
        """
        return 2 * (devices - 1) * self.send_ns(-(-size_bytes // devices))

    @staticmethod
    def all_reduce_bytes(size_bytes: int, devices: int) -> int:
        """Bytes that each device sends meanwhile."""
        return 2 * (devices - 1) * -(-size_bytes // devices)


class DevicesSpec(BaseModel):
    """How many devices, and how they share a model."""

    devices: int = Field(ge=1, le=65_536, description="devices in all, tensor_parallel x pipeline_parallel")
    tensor_parallel: int = Field(ge=1, le=4096, description="devices that share each layer")
    pipeline_parallel: int = Field(ge=1, le=10_000, description="stages of layers, one after the other")
    link: LinkSpec

    @model_validator(mode="after")
    def _all_devices_have_work(self) -> Self:
        if self.devices != self.tensor_parallel * self.pipeline_parallel:
            raise ValueError(
                f"devices {self.devices} must be tensor_parallel {self.tensor_parallel} x "
                f"pipeline_parallel {self.pipeline_parallel}; set all three"
            )
        return self
