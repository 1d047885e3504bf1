"""The command about hardware blocks: `rtl`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hwsim.commands.output import FILE, check_outputs, deliver, is_stdout, optional_status
from hwsim.errors import UserError


@click.command()
@click.argument("block", metavar="BLOCK|list")
@click.option("--preset", default="rtl", show_default=True, help="Parameters to start from.")
@click.option("--set", "settings", multiple=True, metavar="PARAM=VALUE", help="Replace a parameter.")
@click.option("--out", type=FILE, metavar="DIR", help="Write Verilog, projects, test vectors and a README there.")
@click.option(
    "--simulate", is_flag=True, help="Prove it in Verilator: bits of the golden model, cycles of the contract."
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Of the jobs of --simulate.  [default: 0]")
@click.option("--resources", is_flag=True, help="What it takes: the contract's estimate, and kept synthesis.")
@click.option("--synth", is_flag=True, help="Synthesise, and report what each sub-block takes.")
@click.option("--target", help="FPGA family for --synth: xcup or ecp5.  [default: xcup]")
@click.option("--record", type=FILE, metavar="FILE", help="Add the result of --synth to a data file.")
@click.option("--json", "json_file", type=FILE, help="Write the one result to a file, - for stdout.")
def rtl(
    block: str,
    preset: str,
    settings: tuple[str, ...],
    out: Path | None,
    simulate: bool,
    seed: int | None,
    resources: bool,
    synth: bool,
    target: str | None,
    record: Path | None,
    json_file: Path | None,
) -> None:
    """List hardware blocks, or make files of BLOCK, simulate and synthesise it (docs/rtl.md)."""
    from hwsim.commands import rtl_actions

    if block == "list":
        context = click.get_current_context()
        given = [name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if given != ["block"]:
            raise UserError("rtl list takes no options")
        click.echo(rtl_actions.list_blocks(), nl=False)
        return
    contract, changes = rtl_actions.read_contract(block, preset, settings)
    _check_options(click.get_current_context().params)
    check_outputs({"--json": json_file, "--record": record})
    if out is not None:
        rtl_actions.export(contract, changes, out)
    if resources:
        taken = rtl_actions.resources(contract)
        if deliver(taken, json_file):
            click.echo(taken.to_text(), nl=False)
    if simulate:
        with optional_status(enabled=not is_stdout(json_file)) as say:
            found = rtl_actions.simulate(contract, seed or 0, say)
        if deliver(found, json_file):
            click.echo(found.to_text(), nl=False)
        if not found.passed:
            click.get_current_context().exit(1)
    if synth:
        with optional_status(enabled=not is_stdout(json_file)) as say:
            result = rtl_actions.synthesise(contract, target or "xcup", record, say)
        if deliver(result, json_file):
            click.echo(result.to_text(), nl=False)


def _check_options(given: Mapping[str, Any]) -> None:
    """Check that each option of `rtl` has what it belongs to.

    Raises
    ------
    UserError : it has not, or nothing is to be done
    """
    shown = [given[name] for name in ("resources", "simulate", "synth")]
    if not (given["out"] or any(shown)):
        raise UserError("say what to do: --out DIR, --resources, --simulate, --synth or several of them")
    if not given["synth"] and (given["target"] or given["record"]):
        raise UserError("--target and --record belong to --synth, which is not there")
    if not given["simulate"] and given["seed"] is not None:
        raise UserError("--seed belongs to --simulate, which is not there")
    if given["json_file"] and sum(shown) != 1:
        raise UserError("--json takes the result of one of --resources, --simulate and --synth")
