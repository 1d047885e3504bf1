"""hwsim: co-design of transformer models and the hardware that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hwsim.version import VERSION

if TYPE_CHECKING:
    from hwsim.pipeline import load_workload, run

__version__ = VERSION
__all__ = ["__version__", "load_workload", "run"]


def __getattr__(name: str) -> Any:
    """Import the pipeline when it is first asked for: `hwsim --version` need not wait for numba."""
    if name in ("load_workload", "run"):
        from hwsim import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module 'hwsim' has no attribute {name!r}")
