"""Commands that take a workload: `run`, `explain`, `verify`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwsim.commands.output import FILE, check_outputs, console, deliver, is_stdout, optional_progress
from hwsim.errors import UserError, WorkloadError

if TYPE_CHECKING:
    from hwsim.report.schema import FpgaUse


def _workload_options(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments that `run`, `explain` and `verify` share."""
    options = [
        click.argument("workload"),
        click.option("--machine", metavar="NAME|FILE", help="A shipped machine or a machine YAML of your own."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Replace any parameter."),
        click.option("--config", type=FILE, metavar="FILE", help="A saved set of --set; an explicit --set wins."),
        click.option("--tokens", type=int, metavar="N", help="Tokens to generate (decode) or to take in (prefill)."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_workload_options
@click.option("--json", "json_file", type=FILE, help="Write the report to a file, - for stdout.")
@click.option("--trace", "trace_file", type=FILE, help="Write a Perfetto trace to a file.")
@click.option("--trace-tokens", type=int, metavar="N", help="Tokens (swat: rows) that the trace shows.  [default: 2]")
@click.option("--html", "html_file", type=FILE, help="Write the run as one self-contained page.")
@click.option("--emit-trace", "emit_file", type=FILE, help="Write the instructions of the run (machine aim).")
@click.option(
    "--weights", metavar="DIR|random:SEED", help="Tensors with which the machine's golden models choose experts."
)
@click.option("--strict-fit", is_flag=True, help="Refuse a machine that does not fit its FPGA; else it is a warning.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and warnings.")
def run(
    workload: str,
    machine: str | None,
    settings: tuple[str, ...],
    config: Path | None,
    tokens: int | None,
    json_file: Path | None,
    trace_file: Path | None,
    trace_tokens: int | None,
    html_file: Path | None,
    emit_file: Path | None,
    weights: str | None,
    strict_fit: bool,
    quiet: bool,
) -> None:
    """Run WORKLOAD (a file or a shipped name) and report."""
    from hwsim.pipeline import run_in_detail
    from hwsim.shipped import shipped_workloads

    outputs = {"--json": json_file, "--trace": trace_file, "--html": html_file, "--emit-trace": emit_file}
    check_outputs(outputs, sources=(workload, shipped_workloads().get(workload), machine, config))
    traced = _trace_options(trace_file, trace_tokens)
    model, machine_settings = _load(workload, machine, settings, config, tokens, weights=weights)
    with optional_progress(enabled=not quiet and not is_stdout(json_file)) as progress:
        report, details = run_in_detail(
            model, machine, machine_settings, progress=progress, emit=emit_file, strict_fit=strict_fit, **traced
        )
    if report.fpga and not report.fpga.fits:
        _warn_of_misfit(report.machine, report.fpga)
    if html_file:
        from hwsim.report.html import page
        from hwsim.report.write import write_text

        write_text(html_file, page(report, details()))
    if deliver(report, json_file) and not quiet:
        from hwsim.report.render import render

        render(report, console())
        click.echo(f"\nSimulator: peak memory {_peak_memory_mib():.0f} MiB")


@click.command()
@_workload_options
@click.option(
    "--stage",
    type=click.Choice(["graph", "mapped", "program"]),
    default="graph",
    show_default=True,
    help="What to show.",
)
def explain(
    workload: str, machine: str | None, settings: tuple[str, ...], config: Path | None, tokens: int | None, stage: str
) -> None:
    """Show what a stage makes of WORKLOAD, at the last step of the run."""
    from hwsim.pipeline import explain as explain_stage

    model, machine_settings = _load(workload, machine, settings, config, tokens)
    click.echo(explain_stage(model, stage, machine, machine_settings))


@click.command()
@_workload_options
@click.option(
    "--weights", default="random:0", show_default=True, metavar="DIR|random:SEED", help="The model's tensors."
)
@click.option("--full", is_flag=True, help="Keep all layers and the whole vocabulary with random weights too.")
@click.option("--layers", type=int, metavar="N", help="Verify the first N layers, and read no other weights.")
@click.option("--json", "json_file", type=FILE, help="Write the report to a file, - for stdout.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def verify(
    workload: str,
    machine: str | None,
    settings: tuple[str, ...],
    config: Path | None,
    tokens: int | None,
    weights: str,
    full: bool,
    layers: int | None,
    json_file: Path | None,
    quiet: bool,
) -> None:
    """Compare the machine's own arithmetic with float64, on WORKLOAD; decoders are verified at a small size."""
    from hwsim.shipped import shipped_workloads
    from hwsim.verification import verify as run_verify

    check_outputs({"--json": json_file}, sources=(workload, shipped_workloads().get(workload), machine, config))
    if tokens is not None:
        if tokens < 1:
            raise WorkloadError(f"--tokens: expected at least 1, got {tokens}")
        settings = (*settings, f"workload.tokens={tokens}")
    with optional_progress(enabled=not quiet and not is_stdout(json_file), unit="tokens or layers") as progress:
        report = run_verify(
            workload, machine, settings, config=config, weights=weights, full=full, layers=layers, progress=progress
        )
    if deliver(report, json_file) and not quiet:
        from hwsim.verify.render import render

        render(report, console())


def _load(
    workload: str,
    machine: str | None,
    settings: tuple[str, ...],
    config: Path | None,
    tokens: int | None,
    *,
    weights: str | None = None,
) -> tuple[Any, dict[str, Any]]:
    """The workload, and the machine's settings; other options stand above --set, and that above --config."""
    from hwsim.machines.find import choose_machine, find_machine
    from hwsim.parameters.settings import check_parameters, gather_settings
    from hwsim.pipeline import load_workload

    given, saved = gather_settings(settings, config)
    overrides = dict(given.workload)
    if tokens is not None:
        if tokens < 1:
            raise WorkloadError(f"--tokens: expected at least 1, got {tokens}")
        own = load_workload(workload).run
        phase = overrides.get("phase", getattr(own, "phase", None))
        overrides["prompt" if phase == "prefill" else "tokens"] = tokens
    if weights is not None:
        declared = next((key for key in overrides if key.split(".")[0] == "routing"), None)
        if declared:
            raise WorkloadError(
                f"--weights {weights}: experts follow from weights, or from workload.{declared}, not both"
            )
        overrides["routing"] = {"load": "computed", "weights": weights}
    model = load_workload(workload, **overrides)
    if config:
        check_parameters(find_machine(choose_machine(machine, model))[0].spec_file, saved.machine, origin=str(config))
    return model, dict(given.machine)


def _warn_of_misfit(machine: str, fpga: FpgaUse) -> None:
    """Say on stderr what the machine's FPGA lacks; the run counts all the same."""
    from hwsim.fpga.shortage import misfit_text

    line = misfit_text(machine, fpga.board, dict(fpga.used), dict(fpga.available))
    click.echo(f"hwsim: warning: {line}", err=True)


def _trace_options(file: Path | None, tokens: int | None) -> dict[str, Any]:
    """What the pipeline is told about a trace."""
    if file is None:
        if tokens is not None:
            raise UserError("--trace-tokens: there is no --trace FILE to write them to")
        return {}
    return {"trace": file} if tokens is None else {"trace": file, "trace_tokens": tokens}


def _peak_memory_mib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
