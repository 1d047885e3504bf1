"""Commands about what is there already: reports, machines, workloads."""

from __future__ import annotations

from pathlib import Path

import click

from hwsim.commands.output import FILE, check_outputs, console, deliver
from hwsim.errors import MachineError, nearest


@click.command()
@click.argument("reports", nargs=-1, type=FILE, metavar="A.json B.json [C.json ...]")
@click.option("--json", "json_file", type=FILE, help="Write the comparison to a file, - for stdout.")
def compare(reports: tuple[Path, ...], json_file: Path | None) -> None:
    """Show two or more reports side by side, with ratios to the first and the settings that differ."""
    from hwsim.report.compare import compare_files

    check_outputs({"--json": json_file}, sources=reports)
    comparison = compare_files(reports)
    if deliver(comparison, json_file):
        from hwsim.report.compare_render import render_comparison

        render_comparison(comparison, console())


@click.command(name="list")
def list_all() -> None:
    """List machines and workloads, a line each."""
    from hwsim.machines import MACHINES, machine_summary
    from hwsim.mapping.workload.load import load_workload
    from hwsim.shipped import shipped_workloads

    workloads = shipped_workloads()
    width = max(map(len, (*MACHINES, *workloads)))
    click.echo("machines")
    for name in MACHINES:
        click.echo(f"  {name:{width}} {machine_summary(name)}")
    click.echo("workloads")
    for name, path in workloads.items():
        w = load_workload(path)
        click.echo(f"  {name:{width}} {w.model.summary()}{f', on {w.machine}' if w.machine else ''}")


@click.command(name="machine")
@click.argument("name")
@click.option("--parameters", is_flag=True, help="List what can be set instead: type, unit, range and meaning.")
def show_machine(name: str, parameters: bool) -> None:
    """Print machine NAME as YAML to start one of your own from."""
    from hwsim.machines import MACHINES

    if name not in MACHINES:
        raise MachineError(f"{name}: no such machine{nearest(name, MACHINES)}")
    file = MACHINES[name]().spec_file
    if parameters:
        from hwsim.parameters.render import render_parameters

        render_parameters(file.parameters(), console())
    else:
        click.echo(file.dump(file.load(None, {})), nl=False)
