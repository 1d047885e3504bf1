"""hwsim: co-design of transformer models and the hardware that runs them."""

from hwsim.pipeline import load_workload, run
from hwsim.version import VERSION as __version__

__all__ = ["__version__", "load_workload", "run"]
