"""Options that say which memory of a standard is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorated = Callable[..., Any]
_OPTIONS = (
    click.option("--bin", metavar="NAME", help="Speed bin.  [default: the standard's usual one]"),
    click.option("--device", metavar="NAME", help="Density and width of a chip.  [default: the usual one]"),
    click.option("--clock", metavar="FREQUENCY", help="Another command clock: 1.2GHz, 1600MHz, or a number of Hz."),
    click.option("--ranks", type=int, metavar="N", help="Ranks on a channel.  [default: the device's]"),
)


def memory_options(command: Decorated) -> Decorated:
    """Add the options to a command, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
