"""The command line: `hwsim run`, `compare`, `explain`, `verify`, `aim`, `dram`, `check`, `rtl`, `list`, `machine`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from hwsim.errors import MachineError, UserError, WorkloadError, nearest
from hwsim.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

    from hwsim.aim.refresh import RefreshMode

# Heavy imports (numba, pydantic, rich) wait until a command needs them: `hwsim --version` answers at once.

_FILE = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="hwsim", message="%(prog)s %(version)s")
def cli() -> None:
    """Simulate transformer workloads on accelerators, every DRAM command timed."""


def _workload_options(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments that `run`, `explain` and `verify` share."""
    options = [
        click.argument("workload"),
        click.option("--machine", metavar="NAME|FILE", help="A shipped machine or a machine YAML of your own."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Replace any parameter."),
        click.option("--config", type=_FILE, metavar="FILE", help="A saved set of --set; an explicit --set wins."),
        click.option("--tokens", type=int, metavar="N", help="Tokens to generate (decode) or to take in (prefill)."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@_workload_options
@click.option("--json", "json_file", type=_FILE, help="Write the report to a file, - for stdout.")
@click.option("--trace", "trace_file", type=_FILE, help="Write a Perfetto trace to a file.")
@click.option("--trace-tokens", type=int, metavar="N", help="Tokens that the trace shows.  [default: 2]")
@click.option("--html", "html_file", type=_FILE, help="Write the run as one self-contained page.")
@click.option("--emit-trace", "emit_file", type=_FILE, help="Write the instructions of the run (machine aim).")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
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
    quiet: bool,
) -> None:
    """Run WORKLOAD (a file or a shipped name) and report."""
    from hwsim.pipeline import run_in_detail

    outputs = {"--json": json_file, "--trace": trace_file, "--html": html_file, "--emit-trace": emit_file}
    _check_outputs(outputs, sources=(workload, machine, config))
    traced = _trace_options(trace_file, trace_tokens)
    model, machine_settings = _load(workload, machine, settings, config, tokens)
    with _progress(enabled=not quiet and not _is_stdout(json_file)) as progress:
        report, details = run_in_detail(model, machine, machine_settings, progress=progress, emit=emit_file, **traced)
    if html_file:
        from hwsim.report.html import page
        from hwsim.report.write import write_text

        write_text(html_file, page(report, details()))
    if _deliver(report, json_file) and not quiet:
        from hwsim.report.render import render

        render(report, _console())
        click.echo(f"\nSimulator: peak memory {_peak_memory_mib():.0f} MiB")


@cli.command()
@click.argument("reports", nargs=-1, type=_FILE, metavar="A.json B.json [C.json ...]")
@click.option("--json", "json_file", type=_FILE, help="Write the comparison to a file, - for stdout.")
def compare(reports: tuple[Path, ...], json_file: Path | None) -> None:
    """Show two or more reports side by side, with ratios to the first and the settings that differ."""
    from hwsim.report.compare import compare_files

    _check_outputs({"--json": json_file}, sources=reports)
    comparison = compare_files(reports)
    if _deliver(comparison, json_file):
        from hwsim.report.compare_render import render_comparison

        render_comparison(comparison, _console())


@cli.command()
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
    from hwsim.pipeline import prepare

    model, machine_settings = _load(workload, machine, settings, config, tokens)
    click.echo(explain_stage(prepare(model, machine, machine_settings), stage))


@cli.command()
@_workload_options
@click.option(
    "--weights", default="random:0", show_default=True, metavar="DIR|random:SEED", help="The model's tensors."
)
@click.option("--full", is_flag=True, help="Keep all layers and the whole vocabulary with random weights too.")
@click.option("--json", "json_file", type=_FILE, help="Write the report to a file, - for stdout.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def verify(
    workload: str,
    machine: str | None,
    settings: tuple[str, ...],
    config: Path | None,
    tokens: int | None,
    weights: str,
    full: bool,
    json_file: Path | None,
    quiet: bool,
) -> None:
    """Compare the machine's own arithmetic with float64, decoding WORKLOAD at a small size."""
    from hwsim.verify.run import verify as run_verify

    _check_outputs({"--json": json_file}, sources=(workload, machine, config))
    if tokens is not None:
        if tokens < 1:
            raise WorkloadError(f"--tokens: expected at least 1, got {tokens}")
        settings = (*settings, f"workload.tokens={tokens}")
    with _progress(enabled=not quiet and not _is_stdout(json_file)) as progress:
        report = run_verify(workload, machine, settings, config=config, weights=weights, full=full, progress=progress)
    if _deliver(report, json_file) and not quiet:
        from hwsim.verify.render import render

        render(report, _console())


@cli.command(name="list")
def list_all() -> None:
    """List machines and workloads, a line each."""
    from hwsim.machines import MACHINES
    from hwsim.pipeline import load_workload
    from hwsim.shipped import shipped_workloads

    click.echo("machines")
    for name, machine in MACHINES.items():
        click.echo(f"  {name:14} {machine.summary}")
    click.echo("workloads")
    for name in shipped_workloads():
        w = load_workload(name)
        click.echo(
            f"  {name:14} {w.layers} layers, d {w.d_model}, {w.heads} heads, context {w.n_ctx}, "
            f"{w.parameters / 1e6:.1f} M parameters, on {w.machine}"
        )


@cli.command(name="machine")
@click.argument("name")
def show_machine(name: str) -> None:
    """Print machine NAME as YAML to start one of your own from."""
    from hwsim.machines import MACHINES

    if name not in MACHINES:
        raise MachineError(f"{name}: no such machine{nearest(name, MACHINES)}")
    file = MACHINES[name].spec_file
    click.echo(file.dump(file.load(None, {})), nl=False)


@cli.command()
@click.argument("trace", type=_FILE)
@click.option("--channels", type=int, default=32, show_default=True, help="Channels, 1 to 32.")
@click.option(
    "--refresh",
    type=click.Choice(["off", "all_bank", "per_bank"]),
    default="off",
    show_default=True,
    help="How the DRAM is refreshed.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="rows, refresh_postponed or timing.NAME.")
@click.option("--json", "json_file", type=_FILE, help="Write the result to a file, - for stdout.")
@click.option("--commands", "log_file", type=_FILE, help="Write every DRAM command to a CSV file.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def aim(
    trace: Path,
    channels: int,
    refresh: RefreshMode,
    settings: tuple[str, ...],
    json_file: Path | None,
    log_file: Path | None,
    quiet: bool,
) -> None:
    """Play TRACE, a file of GDDR6-AiM instructions, and report cycles, commands and energy."""
    from hwsim.aim.run import play_trace
    from hwsim.settings import parse_settings

    _check_outputs({"--json": json_file, "--commands": log_file}, sources=(trace,))
    with _progress(enabled=not quiet and not _is_stdout(json_file), unit="bytes") as progress:
        values = dict(parse_settings(settings).machine)
        report = play_trace(trace, channels, refresh=refresh, settings=values, log_file=log_file, progress=progress)
    if _deliver(report, json_file) and not quiet:
        click.echo(report.to_text(), nl=False)


@cli.command()
@click.argument("log", type=_FILE)
@click.argument("standard")
@click.option("--set", "settings", multiple=True, metavar="timing.NAME=VALUE", help="What the log was played with.")
def check(log: Path, standard: str, settings: tuple[str, ...]) -> int:
    """Check LOG, DRAM commands that --commands wrote, against the constraints of STANDARD; status 1 if it breaks."""
    from hwsim.dram.check_log import check_log
    from hwsim.dram.standard import load_standard, split_timing
    from hwsim.settings import parse_settings

    timing, others = split_timing(parse_settings(settings).machine)
    if others:
        raise UserError(f"--set {min(others)}: a log is checked with timing.NAME as its settings")
    checked = check_log(log, load_standard(standard, timing=timing))
    click.echo(checked.to_text(), nl=False)
    return 0 if checked.legal else 1


@cli.command()
@click.argument("block", metavar="BLOCK|list")
@click.option("--preset", default="rtl", show_default=True, help="Parameters to start from.")
@click.option("--set", "settings", multiple=True, metavar="PARAM=VALUE", help="Replace a parameter.")
@click.option("--out", type=_FILE, metavar="DIR", help="Write Verilog, projects, test vectors and a README there.")
@click.option(
    "--simulate", is_flag=True, help="Prove it in Verilator: bits of the golden model, cycles of the contract."
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Of the jobs of --simulate.  [default: 0]")
@click.option("--resources", is_flag=True, help="What it takes: the contract's estimate, and kept synthesis.")
@click.option("--synth", is_flag=True, help="Synthesise, and report what each sub-block takes.")
@click.option("--target", help="FPGA family for --synth: xcup or ecp5.  [default: xcup]")
@click.option("--record", type=_FILE, metavar="FILE", help="Add the result of --synth to a data file.")
@click.option("--json", "json_file", type=_FILE, help="Write the one result to a file, - for stdout.")
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
    from hwsim import rtl_command

    if block == "list":
        if out or simulate or resources or synth or settings or target or record or json_file:
            raise UserError("rtl list takes no options")
        click.echo(rtl_command.list_blocks(), nl=False)
        return
    contract, changes = rtl_command.read_contract(block, preset, settings)
    rtl_command.check_options(
        out=out,
        simulate=simulate,
        seed=seed,
        resources=resources,
        synth=synth,
        target=target,
        record=record,
        json_file=json_file,
    )
    _check_outputs({"--json": json_file, "--record": record})
    if out is not None:
        rtl_command.export(contract, changes, out)
    if resources:
        taken = rtl_command.resources(contract)
        if _deliver(taken, json_file):
            click.echo(taken.to_text(), nl=False)
    if simulate:
        with _status(enabled=not _is_stdout(json_file)) as say:
            found = rtl_command.simulate(contract, seed or 0, say)
        if _deliver(found, json_file):
            click.echo(found.to_text(), nl=False)
        if not found.passed:
            click.get_current_context().exit(1)
    if synth:
        with _status(enabled=not _is_stdout(json_file)) as say:
            result = rtl_command.synthesise(contract, target or "xcup", record, say)
        if _deliver(result, json_file):
            click.echo(result.to_text(), nl=False)


@cli.command()
@click.argument("design")
@click.option("--board", metavar="NAME", help="zcu102, zcu104 or u55c.  [default: the design's own]")
@click.option(
    "--set", "settings", multiple=True, metavar="UNIT.PARAM=VALUE", help="Replace a parameter, or UNIT.count."
)
@click.option("--json", "json_file", type=_FILE, help="Write the result to a file, - for stdout.")
def fit(design: str, board: str | None, settings: tuple[str, ...], json_file: Path | None) -> int:
    """Say what the blocks of DESIGN, a file or edge_moe, take of a board's FPGA; status 1 if it does not fit."""
    from hwsim.fpga.budget import budget
    from hwsim.fpga.design import load_design
    from hwsim.rtl_command import read_changes

    _check_outputs({"--json": json_file}, sources=(design,))
    found = budget(load_design(design, board=board, settings=read_changes(settings)), Path(design).stem)
    if _deliver(found, json_file):
        click.echo(found.to_text(), nl=False)
    return 0 if found.fits else 1


@cli.command()
@click.argument("standard")
@click.option("--pattern", default="stream", show_default=True, metavar="stream|random|FILE", help="Requests to play.")
@click.option("--requests", type=int, metavar="N", help="How many.  [default: 100000, or all of a file]")
@click.option("--channels", type=int, default=1, show_default=True, help="Channels.")
@click.option("--mapping", metavar="NAME", help="Address mapping.  [default: RoBaRaCoBgCh]")
@click.option("--read-share", type=float, help="Share of reads in a pattern.  [default: 1.0]")
@click.option("--seed", type=int, help="Of whatever a pattern draws.  [default: 0]")
@click.option("--rate", metavar="N|1/N", help="Requests offered a cycle.  [default: one for each channel]")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Controller parameter, or timing.NAME.")
@click.option("--no-refresh", is_flag=True, help="Play without refresh.")
@click.option("--wrap", is_flag=True, help="Take a file's addresses modulo the capacity.")
@click.option("--json", "json_file", type=_FILE, help="Write the result to a file, - for stdout.")
@click.option("--commands", "log_file", type=_FILE, help="Write every DRAM command to a CSV file.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def dram(
    standard: str,
    settings: tuple[str, ...],
    no_refresh: bool,
    json_file: Path | None,
    log_file: Path | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Play reads and writes on a memory of STANDARD, and report bandwidth, row hits and latencies."""
    from hwsim.memory.run import run_memory
    from hwsim.settings import parse_settings

    _check_outputs({"--json": json_file, "--commands": log_file}, sources=(options["pattern"],))
    values = dict(parse_settings(settings).machine)
    with _progress(enabled=not quiet and not _is_stdout(json_file), unit="bytes") as progress:
        report = run_memory(
            standard, settings=values, refresh=not no_refresh, log_file=log_file, progress=progress, **options
        )
    if _deliver(report, json_file) and not quiet:
        click.echo(report.to_text(), nl=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point: a user's mistake is one line on stderr and exit status 2."""
    try:
        result = cli.main(arguments, prog_name="hwsim", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as cause:
        click.echo(cause.format_message())
        return 2
    except click.ClickException as cause:
        return _fail(cause.format_message())
    except _user_errors() as cause:
        return _fail(str(cause))
    except (click.Abort, KeyboardInterrupt):
        click.echo("hwsim: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # the reader has gone (`hwsim list | head -1`); keep Python from complaining about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry_point() -> None:
    for name in ("SIGTERM", "SIGHUP"):  # ends as Ctrl-C does, so that nothing half-written stays
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    sys.exit(main())


def _user_errors() -> tuple[type[Exception], ...]:
    """What a user can mend: our own, and those of blocks and their tools, since rtl knows nothing of ours."""
    from rtl.contract import ContractError
    from rtl.toolchain import GenerateError, ToolError

    return UserError, ContractError, ToolError, GenerateError


def _fail(message: str) -> int:
    click.echo(f"hwsim: error: {' '.join(message.split())}", err=True)
    return 2


def _load(
    workload: str, machine: str | None, settings: tuple[str, ...], config: Path | None, tokens: int | None
) -> tuple[Any, dict[str, Any]]:
    """The workload, and the machine's settings; --tokens stands above --set, and that above --config."""
    from hwsim.pipeline import load_workload
    from hwsim.settings import check_parameters, find_machine, gather_settings

    given, saved = gather_settings(settings, config)
    overrides = dict(given.workload)
    if tokens is not None:
        if tokens < 1:
            raise WorkloadError(f"--tokens: expected at least 1, got {tokens}")
        phase = overrides["phase"] if "phase" in overrides else load_workload(workload).phase
        overrides["prompt" if phase == "prefill" else "tokens"] = tokens
    model = load_workload(workload, **overrides)
    if config:
        check_parameters(find_machine(machine or model.machine)[0], saved.machine, origin=str(config))
    return model, dict(given.machine)


class _Result(Protocol):
    def to_json(self) -> str: ...


def _is_stdout(file: Path | None) -> bool:
    return str(file) == "-"


def _check_outputs(files: Mapping[str, Path | None], *, sources: Iterable[str | Path | None] = ()) -> None:
    """Check, before any work, that each option's file can be written, and is neither another's nor one that is read.

    Parameters
    ----------
    sources : what is read; names that are no files do not matter
    """
    from hwsim.report.write import check_writable

    read = [Path(source) for source in sources if source is not None and os.path.exists(source)]
    taken: dict[Path, str] = {}
    for option, file in files.items():
        if file is None or (option == "--json" and _is_stdout(file)):
            continue
        if _is_stdout(file):
            raise UserError(f"{option} -: only --json goes to stdout; name a file")
        other = taken.setdefault(file.resolve(), option)
        if other != option and file.resolve() != Path(os.devnull):
            raise UserError(f"{other} and {option}: both would write {file}")
        if os.path.exists(file) and any(source.samefile(file) for source in read):
            raise UserError(f"{option}: {file} is what is read; it would be overwritten")
        check_writable(file)


def _deliver(result: _Result, json_file: Path | None) -> bool:
    """Write a result as JSON where that was asked for; return whether stdout is still free for people."""
    from hwsim.report.write import write_text

    if _is_stdout(json_file):
        click.echo(result.to_json(), nl=False)
        return False
    if json_file:
        write_text(json_file, result.to_json())
    return True


def _console() -> Console:
    """Tables fit the terminal; in a file or a pipe they get a fixed width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140)


def _trace_options(file: Path | None, tokens: int | None) -> dict[str, Any]:
    """What the pipeline is told about a trace."""
    if file is None:
        if tokens is not None:
            raise UserError("--trace-tokens: there is no --trace FILE to write them to")
        return {}
    return {"trace": file} if tokens is None else {"trace": file, "trace_tokens": tokens}


def _progress(*, enabled: bool, unit: str = "tokens") -> AbstractContextManager[Callable[[int, int], None] | None]:
    """A progress bar on a terminal; nothing when piped."""
    if not enabled or not sys.stderr.isatty():
        return nullcontext()
    from hwsim.report.progress import progress_bar

    return progress_bar(unit)


def _status(*, enabled: bool) -> AbstractContextManager[Callable[[str], None]]:
    """A line on a terminal that says what is being done; nothing when piped."""
    if not enabled or not sys.stderr.isatty():
        return nullcontext(lambda _text: None)
    from hwsim.report.progress import status_line

    return status_line()


def _peak_memory_mib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
