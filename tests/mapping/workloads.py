"""Small workloads for tests."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.workload.load import check_workload


def tiny(**fields: Any) -> DecoderWorkload:
    """A model of one layer that runs in a moment; any field may be replaced."""
    document: dict[str, Any] = {
        "name": "tiny",
        "machine": "pim_gpt",
        "layers": 1,
        "d_model": 64,
        "heads": 2,
        "vocab": 100,
        "n_ctx": 4096,
        "tokens": 4,
        "provenance": {"grade": "A", "source": "a test"},
        **fields,
    }
    return check_workload(document, origin="tiny")
