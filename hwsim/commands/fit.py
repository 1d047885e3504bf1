"""The command `fit`: what a machine's units, or the blocks of a design, take of an FPGA."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hwsim.commands.output import FILE, check_outputs, deliver
from hwsim.errors import UserError

if TYPE_CHECKING:
    from hwsim.fpga.budget import Budget
    from hwsim.machines.fit import MachineTaken


@click.command()
@click.argument("source", metavar="MACHINE|DESIGN")
@click.option("--board", metavar="NAME", help="zcu102, zcu104 or u55c.  [default: the machine's or design's own]")
@click.option(
    "--set", "settings", multiple=True, metavar="[UNIT.]PARAM=VALUE", help="Replace a parameter, or a UNIT.count."
)
@click.option("--strict-fit", is_flag=True, help="Status 2 with a line on stderr if it does not fit.")
@click.option("--json", "json_file", type=FILE, help="Write the result to a file, - for stdout.")
def fit(source: str, board: str | None, settings: tuple[str, ...], strict_fit: bool, json_file: Path | None) -> int:
    """Say what a machine's units take of its board's FPGA; status 1 if it does not fit.

    A machine is a shipped name or a machine YAML, and --set sets its parameters. A design is a YAML file of blocks on a
    board, for which there need not be a machine; --set then replaces parameters of its units.
    """
    from hwsim.machines.find import is_machine

    found = (_of_machine if is_machine(source) else _of_design)(source, board, settings, json_file)
    if deliver(found, json_file):
        click.echo(found.to_text(), nl=False)
    budget = _budget(found)
    if strict_fit:
        if budget is None:
            raise UserError(f"--strict-fit: {source} is not built on an FPGA, so it cannot lack anything of one")
        if not budget.fits:
            raise UserError(budget.misfit)
    return 0 if budget is None or budget.fits else 1


def _of_machine(source: str, board: str | None, settings: tuple[str, ...], json_file: Path | None) -> MachineTaken:
    from hwsim.machines.find import load_machine
    from hwsim.machines.fit import fit_machine
    from hwsim.parameters.settings import parse_settings

    check_outputs({"--json": json_file}, sources=(source,))
    machine, spec = load_machine(source, parse_settings(settings).machine)
    return fit_machine(machine, spec, board)


def _of_design(source: str, board: str | None, settings: tuple[str, ...], json_file: Path | None) -> Budget:
    from hwsim.commands.rtl_actions import read_changes
    from hwsim.fpga.design import fit_design, load_design
    from hwsim.machines.find import require_file

    path = require_file(source)
    check_outputs({"--json": json_file}, sources=(path,))
    changes = read_changes(settings, "UNIT.PARAM=VALUE")
    return fit_design(load_design(path, board=board, settings=changes), path.stem)


def _budget(found: MachineTaken | Budget) -> Budget | None:
    from hwsim.fpga.budget import Budget

    return found if isinstance(found, Budget) else found.budget
