"""The trace of a run, in the text that `hwsim aim` and the public AiM simulator play."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from hwsim.dram.aim.isa import MAX_CHANNELS, decode
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.text import line_of
from hwsim.dram.aim.variants import DEFAULT, STANDARD
from hwsim.dram.standards.load import timing_defaults
from hwsim.machines.aim.programs import AimWork, HostWork, Program, placed, segments
from hwsim.machines.aim.spec import AimSpec


def emit(program: Program) -> Iterator[str]:
    """The lines of a program's trace, in pieces that end with a newline.

    The host's work between two SYNCs is a comment, since a trace cannot express pauses. The last SYNC is EOC.
    """
    text = lru_cache(maxsize=1024)(_text)
    yield f"# {program.workload.name} on {program.spec.name}; to play it: {_command(program.spec)}\n"
    parts = chain.from_iterable(segments(program.pieces(step)) for step in program.steps())
    behind: list[str] = []  # lines after the instructions so far; written once more instructions follow
    for part in parts:
        if isinstance(part, HostWork):
            behind.append(f"# {part.unit}: {part.name}, {part.cycles} cycles\n")
            continue
        yield from behind
        yield from (text(work) for work in part)
        behind = ["AiM SYNC\n"]
    yield "AiM EOC\n"
    yield from behind[1:]


def _command(spec: AimSpec) -> str:
    """The options with which `hwsim aim` takes as many cycles as the run: those that differ from its defaults."""
    usual = load_aim()
    options = [f"--channels {spec.channels}"] if spec.channels != MAX_CHANNELS else []
    options += [f"--refresh {spec.refresh}"] if spec.refresh != "off" else []
    options += [f"--set refresh_postponed={spec.refresh_postponed}"] if spec.refresh_postponed else []
    options += [f"--set rows={spec.rows}"] if spec.rows != usual.rows else []
    options += [f"--variant {spec.variant}"] if spec.variant != DEFAULT else []
    shipped = timing_defaults(STANDARD, bin=spec.variant)
    changed = {k: v for k, v in spec.timing.items() if v != shipped[k]}
    options += [f"--set timing.{name}={value:.15g}" for name, value in changed.items()]
    return " ".join(["hwsim aim FILE", *options])


def _text(work: AimWork) -> str:
    lines = "\n".join(line_of(instruction) for instruction in decode(placed(work)))
    return f"# {work.name}\n{lines}\n"
