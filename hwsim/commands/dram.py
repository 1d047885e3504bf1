"""Commands that play the DRAM alone: `aim`, `dram`, and `check` of their logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hwsim.commands.memory_options import memory_options
from hwsim.commands.output import FILE, check_outputs, deliver, is_stdout, optional_progress
from hwsim.errors import UserError

if TYPE_CHECKING:
    from hwsim.dram.aim.refresh import RefreshMode
    from hwsim.dram.aim.variants import Variant
    from hwsim.replay.load_report import LoadSweep
    from hwsim.replay.memory_report import MemoryReport


@click.command()
@click.argument("trace", type=FILE)
@click.option("--channels", type=int, default=32, show_default=True, help="Channels, 1 to 32.")
@click.option(
    "--variant",
    type=click.Choice(["preset", "simulator"]),
    default="preset",
    show_default=True,
    help="Timing: the vendor's, or what the public simulator makes of it.",
)
@click.option(
    "--refresh",
    type=click.Choice(["off", "all_bank", "per_bank"]),
    default="off",
    show_default=True,
    help="How the DRAM is refreshed.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="rows, columns, refresh_postponed or timing.NAME."
)
@click.option("--json", "json_file", type=FILE, help="Write the result to a file, - for stdout.")
@click.option("--commands", "log_file", type=FILE, help="Write every DRAM command to a CSV file.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def aim(
    trace: Path,
    channels: int,
    variant: Variant,
    refresh: RefreshMode,
    settings: tuple[str, ...],
    json_file: Path | None,
    log_file: Path | None,
    quiet: bool,
) -> None:
    """Play TRACE, a file of GDDR6-AiM instructions, and report cycles, commands and energy."""
    from hwsim.parameters.settings import parse_settings
    from hwsim.replay.aim import play_trace

    check_outputs({"--json": json_file, "--commands": log_file}, sources=(trace,))
    with optional_progress(enabled=not quiet and not is_stdout(json_file), unit="bytes") as progress:
        values = dict(parse_settings(settings).machine)
        report = play_trace(
            trace, channels, variant=variant, refresh=refresh, settings=values, log_file=log_file, progress=progress
        )
    if deliver(report, json_file) and not quiet:
        click.echo(report.to_text(), nl=False)


@click.command()
@click.argument("standard")
@memory_options
@click.option(
    "--refresh",
    type=click.Choice(["off", "all_bank", "per_bank"]),
    help="How the DRAM is refreshed.  [default: all_bank]",
)
@click.option("--no-refresh", is_flag=True, help="The same as --refresh off.")
@click.option(
    "--pattern",
    default="stream",
    show_default=True,
    metavar="stream|random|stride:BYTES|copy|local[:MEAN]|FILE",
    help="Requests to play.",
)
@click.option("--requests", type=int, metavar="N", help="How many.  [default: 100000, or all of a file]")
@click.option("--channels", type=int, default=1, show_default=True, help="Channels.")
@click.option("--mapping", metavar="NAME", help="Address mapping.  [default: RoBaRaCoBgCh]")
@click.option("--read-share", type=float, help="Share of reads in a pattern.  [default: 1.0]")
@click.option("--seed", type=int, help="Of whatever a pattern draws.  [default: 0]")
@click.option("--rate", metavar="N|1/N", help="Requests offered a cycle.  [default: one for each channel]")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Controller parameter, or timing.NAME.")
@click.option("--wrap", is_flag=True, help="Take what a file names modulo what there is.")
@click.option("--energy", is_flag=True, help="Report energy too, where sources state the currents.")
@click.option("--load-sweep", is_flag=True, help="Find bandwidth and latency over load, up to the knee and beyond.")
@click.option("--json", "json_file", type=FILE, help="Write the result to a file, - for stdout.")
@click.option("--html", "html_file", type=FILE, help="Write one self-contained page, with a load sweep of a pattern.")
@click.option("--commands", "log_file", type=FILE, help="Write every DRAM command to a file.")
@click.option(
    "--commands-format",
    type=click.Choice(["csv", "drampower4", "drampower5"]),
    help="How; hwsim check reads csv.  [default: csv]",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.pass_context
def dram(
    context: click.Context,
    /,
    standard: str,
    refresh: str | None,
    no_refresh: bool,
    settings: tuple[str, ...],
    load_sweep: bool,
    json_file: Path | None,
    html_file: Path | None,
    log_file: Path | None,
    commands_format: str | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Play reads and writes on a memory of STANDARD, and report bandwidth, row hits and latencies.

    STANDARD is a name or the path of a YAML file; `hwsim dram list` shows the names, with their bins and devices.
    """
    if standard == "list":
        _list_standards(context, json_file, quiet=quiet)
        return
    if no_refresh and refresh not in (None, "off"):
        raise UserError(f"--no-refresh and --refresh {refresh} contradict each other")
    if commands_format is not None and log_file is None:
        raise UserError("--commands-format belongs to --commands FILE")
    from hwsim.commands import load_sweep as sweeping
    from hwsim.parameters.settings import parse_settings
    from hwsim.replay.dram import run_memory

    outputs = {"--json": json_file, "--html": html_file, "--commands": log_file}
    check_outputs(outputs, sources=(options["pattern"],))
    options["settings"] = dict(parse_settings(settings).machine)
    options["refresh"] = "off" if no_refresh else refresh or "all_bank"
    enabled = not quiet and not is_stdout(json_file)
    result: MemoryReport | LoadSweep
    swept = None
    if load_sweep:
        sweeping.check_options(options, log_file)
        result = sweeping.sweep(standard, options, enabled=enabled)
    else:
        with optional_progress(enabled=enabled, unit="bytes") as progress:
            result = run_memory(
                standard, log_file=log_file, log_format=commands_format or "csv", progress=progress, **options
            )
        if html_file and sweeping.can_sweep(options):
            swept = sweeping.sweep(standard, options, enabled=enabled)
    if html_file:
        sweeping.write_page(html_file, result, swept)
    if deliver(result, json_file) and not quiet:
        click.echo(result.to_text(), nl=False)


def _list_standards(context: click.Context, json_file: Path | None, *, quiet: bool) -> None:
    """`hwsim dram list`, which takes no other option than --json and --quiet."""
    from click.core import ParameterSource

    from hwsim.dram.standards.catalogue import list_standards

    for option in context.command.params:
        name = str(option.name)
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in ("standard", "json_file", "quiet"):
            raise UserError(f"{option.opts[0]}: `hwsim dram list` takes only --json and --quiet")
    check_outputs({"--json": json_file})
    catalogue = list_standards()
    if deliver(catalogue, json_file) and not quiet:
        click.echo(catalogue.to_text(), nl=False)


@click.command()
@click.argument("log", type=FILE)
@click.argument("standard")
@memory_options
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="rows, columns or timing.NAME, as it was played with."
)
def check(log: Path, standard: str, settings: tuple[str, ...], **chosen: Any) -> int:
    """Check LOG, DRAM commands that --commands wrote, against the constraints of STANDARD; status 1 if it breaks."""
    from hwsim.dram.device.check_log import check_log
    from hwsim.dram.standards.load import split_timing
    from hwsim.parameters.settings import parse_settings
    from hwsim.replay.memory_choice import MemoryChoice

    timing, others = split_timing(parse_settings(settings).machine)
    sizes = {name: others.pop(name, None) for name in ("rows", "columns")}
    if others:
        raise UserError(f"--set {min(others)}: a log is checked with rows, columns and timing.NAME as its settings")
    for name, size in sizes.items():
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise UserError(f"--set {name}: expected a whole number from 1 on, got {size!r}")
    loaded = MemoryChoice(standard=standard, refresh="off", **chosen).load(timing=timing, **sizes)
    with optional_progress(enabled=True, unit="bytes") as progress:
        checked = check_log(log, loaded, progress)
    click.echo(checked.to_text(), nl=False)
    return 0 if checked.legal else 1
