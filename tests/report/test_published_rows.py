"""Published rows of other processors beside a run, and what is no prediction."""

import pytest
from pydantic import ValidationError

from hwsim.data_file import read_data
from hwsim.energy.fpga import FpgaCounts
from hwsim.report.energy_use import fpga_energy_use
from hwsim.report.published import published_beside, read_published
from hwsim.report.published_rows import read_rows, row_ratios, run_figures
from hwsim.report.quantities import figure_text
from hwsim.report.schema import EnergyUse, Published
from tests.energy.test_fpga import COUNTS, fitted_table, table_of

A_SECOND = FpgaCounts(seconds=1, cycles=1)
PAPER = read_data("hwsim.machines", "edge_moe/published.yaml")
ROWS = read_rows(PAPER["rows"])
SHARES = {"attention_share": 0.5, "linear_share": 0.3}


def beside(seconds_per_unit: float, energy: EnergyUse | None, workload: str = "m3vit_tiny") -> dict[str, Published]:
    figures = run_figures(seconds_per_unit=seconds_per_unit, energy=energy)
    ratios = row_ratios(ROWS, seconds_per_unit=seconds_per_unit, energy=energy)
    shares = dict.fromkeys(SHARES, figures["latency_ms"])
    found = published_beside(read_published(PAPER["figures"]), workload, {**figures, **ratios, **shares}, energy=energy)
    return {figure.name: figure for figure in found}


def test_the_papers_own_latency_and_power_give_its_ratios() -> None:
    counts = FpgaCounts(seconds=0.03464, cycles=1)
    energy = fpga_energy_use(counts, table_of("m3vit", power_w=14.54), passed=1, unit="images")
    found = beside(0.03464, energy)
    for name in ("latency of an image", "power", "energy of an image", "speed-up over RTX A6000"):
        assert found[name].ratio == pytest.approx(1, abs=0.002), name
    efficiency = [found[f"energy efficiency over {name}"] for name in ("RTX A6000", "Xeon Gold 6226R")]
    assert [figure_text(figure.ours or 0, figure.unit) for figure in efficiency] == ["2.24x", "4.90x"]
    assert efficiency[0].note == "its 1.129 J (13.73 ms at 82.24 W, T) over our 0.5037 J"


def test_where_power_is_fitted_the_ratios_say_that_they_are_no_predictions() -> None:
    found = beside(0.1, fpga_energy_use(COUNTS, fitted_table(), passed=1, unit="images"))
    warned = {name for name, figure in found.items() if figure.note.startswith("no prediction, since remainder_w is")}
    assert warned == {
        "power",
        "energy of an image",
        "energy efficiency over RTX A6000",
        "energy efficiency over Xeon Gold 6226R",
    }
    assert found["power"].note == (
        "no prediction, since remainder_w is fitted to a published power; "
        "the paper does not say what of the board it measured"
    )


def test_with_energy_off_only_times_are_compared() -> None:
    found = beside(0.1, None)
    assert found["speed-up over RTX A6000"].ours == pytest.approx(0.1373)
    energy = found["energy efficiency over RTX A6000"]
    assert (energy.ours, energy.note) == (None, "not comparable: energy is off")


def test_another_workload_is_not_compared() -> None:
    assert list(beside(0.1, None, "vit_base")) == ["all techniques together, over a design without"]


def test_rows_are_latency_times_power() -> None:
    with pytest.raises(ValidationError, match=r"a6000: 13\.73 ms at 82\.24 W are 1\.129 J"):
        read_rows([{**PAPER["rows"][0], "energy_j": 2}])
