"""hwsim: co-design of transformer models and the hardware that runs them."""

from hwsim.pipeline import load_workload, run
from hwsim.version import VERSION

__version__ = VERSION

__all__ = ["__version__", "load_workload", "run"]
