"""Solve for the one coefficient of an energy table that a published power may fit.

    python benchmarks/fit_power.py            # print it beside the one that is kept
    python benchmarks/fit_power.py --write    # and keep it in the table

Runs the published configuration and solves for the coefficient; all others stay as the table has them.
"""

from __future__ import annotations

import argparse
import json
import re
from functools import cache
from importlib import resources
from pathlib import Path

from hwsim import load_workload, run
from hwsim.energy.fpga.coefficients import FPGA
from hwsim.energy.fpga.fitting import solve_coefficient
from hwsim.energy.provenance import FITTED, Fit
from hwsim.energy.table import read_table

TABLE, COEFFICIENT = "zcu102", "remainder_w"
PUBLISHED = Fit(power_w=14.54, machine="edge_moe", workload="m3vit_tiny", source="Edge-MoE, ICCAD 2023: T")
DIGITS = 6
MEANING = "what the published power leaves beside all other coefficients"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--write", action="store_true", help="keep the value in the table")
    write = options.parse_args().write
    value = float(f"{solve_coefficient(COEFFICIENT, mean_power_w, PUBLISHED.power_w):.{DIGITS}g}")
    kept = getattr(read_table(FPGA, TABLE).coefficients, COEFFICIENT)
    print(f"{COEFFICIENT} of table {TABLE}, {PUBLISHED.text}")
    print(f"solved {value:g} W, kept {kept:g} W; the other coefficients take {mean_power_w(0.0):.4g} W")
    if write:
        keep(Path(str(resources.files("hwsim.energy").joinpath(f"tables/{TABLE}.yaml"))), value)


@cache
def mean_power_w(value: float) -> float:
    """Mean power of the published run with this value of the coefficient."""
    settings = {**PUBLISHED.settings, "energy": TABLE, f"energy_table.{COEFFICIENT}": value}
    report = run(load_workload(PUBLISHED.workload), PUBLISHED.machine, settings)
    assert report.energy
    return report.energy.mean_power_w


def keep(table: Path, value: float) -> None:
    """Put the value with its condition in the coefficient's line of a table."""
    fit = {name: getattr(PUBLISHED, name) for name in ("power_w", "machine", "workload", "source")}
    if PUBLISHED.settings:
        fit["settings"] = dict(PUBLISHED.settings)
    condition = json.dumps(fit)  # YAML reads it as it is
    line = f'  {COEFFICIENT}: {{value: {value:g}, grade: {FITTED}, source: "{MEANING}", fit: {condition}}}'
    text, found = re.subn(rf"^  {COEFFICIENT}: .*$", lambda _: line, table.read_text(), flags=re.MULTILINE)
    assert found == 1
    table.write_text(text)


if __name__ == "__main__":
    main()
