"""Commands that make workloads of what others keep of a model: `import hf`."""

from __future__ import annotations

from pathlib import Path

import click

from hwsim.commands.output import FILE, check_outputs


@click.group(name="import")
def import_model() -> None:
    """Make a workload from a model's own files."""


@import_model.command()
@click.argument("config", type=FILE, metavar="CONFIG.json")
@click.option("--name", metavar="NAME", help="What the workload is called.  [default: as the model, in snake case]")
@click.option("--machine", metavar="NAME", help="The machine that runs it unless another is named.")
@click.option("--tokens", type=int, metavar="N", help="Tokens of a run.")
@click.option("--out", "out_file", type=FILE, metavar="FILE", help="Write to a file in place of stdout.")
def hf(config: Path, name: str | None, machine: str | None, tokens: int | None, out_file: Path | None) -> None:
    """Write the workload YAML of a model of Hugging Face transformers, from its config.json."""
    from hwsim.mapping.importers.hf import import_file
    from hwsim.report.write import write_text

    check_outputs({"--out": out_file}, sources=(config,))
    imported = import_file(config, name=name, machine=machine, tokens=tokens)
    for warning in imported.warnings:
        click.echo(f"hwsim: warning: {warning}", err=True)
    if out_file is None:
        click.echo(imported.text, nl=False)
    else:
        write_text(out_file, imported.text)
