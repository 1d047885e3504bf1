"""The import contracts of pyproject.toml cover every package."""

import tomllib
from pathlib import Path

from hwsim.machines import MACHINES

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_contract_that_machines_never_import_each_other_names_all_of_them() -> None:
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    apart = next(contract for contract in contracts if contract["type"] == "independence")
    assert apart["modules"] == [f"hwsim.machines.{name}" for name in sorted(MACHINES)]
