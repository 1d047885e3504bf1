"""The package's own YAML files, read once."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

# libyaml where PyYAML was built with it: the same documents, ten times sooner.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def read_data(package: str, path: str) -> Any:
    """A YAML document that lies in a package; callers must not change it."""
    return yaml.load(read_text(package, path), Loader=_Loader)


def read_text(package: str, path: str) -> str:
    """A text file that lies in a package."""
    return resources.files(package).joinpath(path).read_text(encoding="utf-8")
