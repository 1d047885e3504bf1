"""What all parts of a report have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen value. Fields that it does not know are passed over, so that a newer minor version can be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
