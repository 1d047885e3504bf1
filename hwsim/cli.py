"""The command line: all commands, and what becomes of a user's mistakes."""

from __future__ import annotations

import errno
import os
import signal
import sys
import warnings
from collections.abc import Sequence

import click

from hwsim.commands.block import rtl
from hwsim.commands.catalogue import compare, list_all, show_machine
from hwsim.commands.dram import aim, check, dram
from hwsim.commands.fit import fit
from hwsim.commands.importing import import_model
from hwsim.commands.workload import explain, run, verify
from hwsim.errors import UserError
from hwsim.version import VERSION

# Heavy imports (numba, pydantic, rich) wait until a command needs them: `hwsim --version` answers at once.


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(VERSION, prog_name="hwsim", message="%(prog)s %(version)s")
def cli() -> None:
    """Simulate transformer workloads on accelerators, every DRAM command timed."""


for command in (run, compare, explain, verify, aim, dram, check, rtl, fit, import_model, list_all, show_machine):
    cli.add_command(command)


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
    except UserError as cause:
        return _fail(str(cause))
    except (click.Abort, KeyboardInterrupt):
        warnings.simplefilter("ignore")  # of what is left half-made, such as components without a design
        click.echo("hwsim: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # the reader has gone (`hwsim list | head -1`)
        _drop_output()
        return 0
    except OSError as cause:
        if cause.errno != errno.ENOSPC:
            raise
        _drop_output()
        return _fail(f"output cannot be written: {cause.strerror}")
    except _rtl_errors() as cause:  # the last, since it imports what it names
        return _fail(str(cause))


def entry_point() -> None:
    """The console script: `main`, ended cleanly by signals too."""
    for name in ("SIGTERM", "SIGHUP"):  # ends as Ctrl-C does, so that nothing half-written stays
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    sys.exit(main())


def _drop_output() -> None:
    """Send what stdout still holds to nowhere, since Python would try it once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _rtl_errors() -> tuple[type[Exception], ...]:
    """What a user can mend of blocks and their tools, since rtl knows nothing of our `UserError`."""
    from hwsim.rtl.contract import ContractError
    from hwsim.rtl.flows.toolchain import GenerateError, ToolError

    return ContractError, ToolError, GenerateError


def _fail(message: str) -> int:
    click.echo(f"hwsim: error: {' '.join(message.split())}", err=True)
    return 2
