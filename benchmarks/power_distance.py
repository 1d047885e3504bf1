"""What a machine's power lacks of the published one, without the coefficient that is fitted to it.

    python benchmarks/power_distance.py

Prints each component's power and what it alone would have to be multiplied with to explain the rest; and the power of
cells if every unit worked in every cycle, as a vendor's estimate without a run has it, or every cell of the part.
"""

from __future__ import annotations

from hwsim import load_workload, run
from hwsim.energy.fpga.breakdown import fpga_table
from hwsim.energy.fpga.coefficients import FPGA, PJ, Actions
from hwsim.energy.fpga.fitting import fitted_coefficients
from hwsim.report.schema import EnergyUse, FpgaCells, Report


def main() -> None:
    ((table, coefficient, fit),) = fitted_coefficients(FPGA)
    settings = {**fit.settings, "energy": table, f"energy_table.{coefficient}": 0}
    report = run(load_workload(fit.workload), fit.machine, settings)
    energy, fpga = report.energy, report.fpga
    assert energy
    assert fpga
    rest = fit.power_w - energy.mean_power_w
    print(f"{fit.machine}, {fit.workload}: {energy.mean_power_w:.3f} W of {fit.power_w} W")
    print(f"{'component':24}{'W':>8}{'factor':>8}")
    for name, watts in sorted(components(energy).items(), key=lambda entry: -entry[1]):
        print(f"{name:24}{watts:8.3f}{(rest + watts) / watts:8.1f}")
    standing = sum(part.joules for part in energy.components if part.standing) / report.latency_s
    print(f"standing {standing:.3f} W, by work {energy.mean_power_w - standing:.3f} W")
    print(f"clock tree, logic and DSP slices: {cells_now(energy):.3f} W")
    print(f"if all units worked in each cycle: {cells_at_work(table, report, fpga.used):.3f} W")
    print(f"if all cells of the part did: {cells_at_work(table, report, fpga.available):.3f} W")


def components(energy: EnergyUse) -> dict[str, float]:
    """Mean power by component; the DRAM's parts as what stands and what its commands cost."""
    found: dict[str, float] = {}
    for part in energy.components:
        name = part.component
        if name.startswith("dram_") and name != "dram_interface":
            name = "dram standing" if part.standing else "dram commands"
        found[name] = found.get(name, 0.0) + part.joules * energy.mean_power_w / energy.joules
    return {name: watts for name, watts in found.items() if watts}


def cells_now(energy: EnergyUse) -> float:
    """Power of cells."""
    found = components(energy)
    return found["clock_tree"] + found["logic"] + found["dsp"]


def cells_at_work(table: str, report: Report, cells: FpgaCells) -> float:
    """Power of cells that all work in each cycle."""
    found = fpga_table(table)
    assert found
    c = found.coefficients
    assert isinstance(c, Actions)
    a_cycle = cells.ff * c.clock_pj_per_ff + cells.lut * c.logic_pj_per_lut + cells.dsp * c.dsp_pj
    return a_cycle * PJ * report.clock_hz


if __name__ == "__main__":
    main()
