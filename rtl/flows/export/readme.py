"""The README of an exported block: ports, formats, timing, and how to use the exported files."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import Any

from hwsim.rtl.block import Block
from hwsim.rtl.boards import BOARDS
from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.lint import WAIVERS
from hwsim.rtl.ports import Port

TEXT = """\
# {block}: {summary}

{description}

Written by `{command}` (hwsim {version}).

## Parameters

| parameter | value |
|-|-|
{parameters}

Preset `{preset}`: {source}.

## Ports

`clk`; `rst`, synchronous and active high; and a stream with `__payload`, `__valid` and `__ready` for each of these. A
beat passes at a rising edge with valid and ready high; valid never waits for ready, and an offered beat stays as it is.

| stream | direction | field | bits of the payload | format | lanes |
|-|-|-|-|-|-|
{ports}

`fixed(W,I)` is two's complement on W bits, I of them before the point with the sign; `ufixed` has no sign. Lane 0 lies
lowest.

## Timing

{timing}

Cycles count the clock periods from the one that accepts the first beat of any input to the one that delivers the last
beat of any output, both included, on an idle block that is never stalled.

{proof}

## Files

| file | what it is |
|-|-|
| `{block}.v` | the block, all modules |
| `{block}.vlt` | waivers for Verilator's lint: {waivers} |
| `{block}.core` | FuseSoC: targets `lint`, {boards} |
| `vivado/BOARD/` | Vivado projects (Tcl and make), written by edalize: `make -C vivado/{board} synth`, see below |
| `constraints/` | the clock of each board; synthesis is out of context, since streams are wider than packages |
| `vectors/` | test vectors, see below |
| `manifest.json` | block, parameters, streams and the names of all files, for programs |

`verilator --lint-only -Wall --top-module {block} {block}.vlt {block}.v` warns of nothing.
`fusesoc --cores-root . run --target lint hwsim:rtl:{block}` does the same.

Ask Vivado's makefiles for `synth`: plain `make` goes on to a bitstream, which a block out of context cannot have.

## Vectors

`vectors/STREAM.hex` holds the payload of a beat a line in hexadecimal (for `$readmemh`), the jobs one after the other.
`vectors/jobs.json` names each job and says for each stream where it begins (`first`) and how many `beats` it has, and
how many `cycles` it takes. Inputs are the block's corner cases and random data; outputs are the golden model's.
"""


def readme(block: Block[Any], contract: Contract, command: str, version: str, jobs: list[dict[str, Any]]) -> str:
    """The text of README.md; `jobs` as in `vectors/jobs.json`."""
    return TEXT.format(
        block=contract.block,
        summary=block.summary,
        description=_description(contract),
        command=command,
        version=version,
        parameters="\n".join(f"| `{name}` | {value} |" for name, value in contract.parameters().items()),
        preset=contract.preset,
        source=contract.source,
        ports="\n".join(row for port in contract.ports for row in _port_rows(port)),
        timing=_timing(contract, jobs),
        proof=_proof(contract),
        waivers=", ".join(WAIVERS),
        boards=", ".join(f"`{name}`" for name in BOARDS),
        board=next(iter(BOARDS)),
    )


def _description(contract: Contract) -> str:
    """The contract's docstring down to its attributes, its numpydoc sections as lists."""
    text = cleandoc(type(contract).__doc__ or "").split("Attributes\n---")[0]
    paragraphs, *sections = re.split(r"^(\w+)\n-+\n", text, flags=re.MULTILINE)
    lists = [f"**{title}**\n\n{_items(entries)}" for title, entries in zip(sections[::2], sections[1::2])]
    return "\n\n".join(part.strip() for part in [paragraphs, *lists])


def _items(entries: str) -> str:
    """Entries `name : description`, with continuation lines indented, as a list."""
    return re.sub(r"^(\S.*?) : ", r"- `\1`: ", entries, flags=re.MULTILINE)


def _port_rows(port: Port) -> list[str]:
    rows, low = [], 0
    for field in port.fields:
        lanes = "-" if field.lanes is None else field.lanes
        bits = f"[{low + field.width_bits - 1}:{low}]"
        rows.append(f"| `{port.name}` | {port.direction} | `{field.name}` | {bits} | {field.format} | {lanes} |")
        low += field.width_bits
    return rows


def _timing(contract: Contract, jobs: list[dict[str, Any]]) -> str:
    work = [job for job in jobs if job["cycles"]]
    shortest = min(work, key=lambda job: job["cycles"])
    if hasattr(contract, "latency"):
        latency = f"{contract.latency} clock edges from the beat that completes a result"
    else:
        latency = f"{shortest['cycles']} cycles from first beat to last result of the shortest job, {shortest['name']}"
    shown = [shortest, *(job for job in work[-4:] if job is not shortest)]
    rows = [f"| {job['name']} | {_beats(job)} | {job['cycles']} |" for job in shown]
    return f"Latency: {latency}.\n\n" + "\n".join(["| job of `vectors/` | beats | cycles |", "|-|-|-|", *rows])


def _beats(job: dict[str, Any]) -> str:
    return ", ".join(f"{name} {where['beats']}" for name, where in job["streams"].items())


def _proof(contract: Contract) -> str:
    if contract.proven:
        return "The tests of hwsim hold RTL, golden model and this count equal for parameter sets of this preset."
    return f"The tests of hwsim prove the preset `rtl`, not `{contract.preset}`."
