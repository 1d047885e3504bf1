"""The script that fits a coefficient to a published power."""

import shutil
from importlib import resources
from pathlib import Path

import pytest
import yaml

from benchmarks import fit_power
from hwsim.energy.provenance import Fit
from hwsim.machines import MACHINES
from tests.fpga.toy import ToyFpga


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Fit:
    """A paper about the machine that does nothing."""
    machine = ToyFpga()
    monkeypatch.setitem(MACHINES, machine.name, lambda: machine)
    fit = Fit(power_w=20, machine=machine.name, workload="vit_base", source="a paper", settings={"tile": 8})
    monkeypatch.setattr(fit_power, "PUBLISHED", fit)
    fit_power.mean_power_w.cache_clear()
    return fit


def test_with_the_value_that_it_finds_the_published_power_follows(published: Fit) -> None:
    value = fit_power.solve_coefficient(fit_power.COEFFICIENT, fit_power.mean_power_w, published.power_w)
    assert fit_power.mean_power_w(value) == pytest.approx(20)
    assert value == pytest.approx(20 - fit_power.mean_power_w(0.0))


def test_it_keeps_the_value_with_its_condition_and_nothing_else(published: Fit, tmp_path: Path) -> None:
    table = tmp_path / "zcu102.yaml"
    shutil.copy(str(resources.files("hwsim.energy").joinpath("tables/zcu102.yaml")), table)
    before = yaml.safe_load(table.read_text())["coefficients"]
    fit_power.keep(table, 4.25)
    after = yaml.safe_load(table.read_text())["coefficients"]
    kept = after.pop("remainder_w")
    assert after == {name: entry for name, entry in before.items() if name != "remainder_w"}
    assert (kept["value"], kept["grade"]) == (4.25, "fitted")
    assert Fit(**kept["fit"]) == published
