"""The import contracts of pyproject.toml cover every package."""

import tomllib
from pathlib import Path

from hwsim.machines import MACHINES

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_contract_that_machines_never_import_each_other_names_all_of_them() -> None:
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    apart = next(contract for contract in contracts if contract["type"] == "independence")
    assert apart["modules"] == [f"hwsim.machines.{name}" for name in sorted(MACHINES)]


def test_a_machine_has_its_key_as_its_name_and_lies_in_the_folder_of_that_name() -> None:
    machines = {name: load() for name, load in MACHINES.items()}
    assert [(machine.name, type(machine).__module__) for machine in machines.values()] == [
        (name, f"hwsim.machines.{name}") for name in machines
    ]
