"""What `hwsim rtl` does: list the blocks, make files of one, simulate it, synthesise it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.errors import UserError, nearest
from hwsim.report.folder import check_folder, write_folder
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.version import VERSION

if TYPE_CHECKING:
    from hwsim.rtl.flows.simulation.simulate import Simulation
    from hwsim.rtl.flows.synthesis.resources import BlockResources
    from hwsim.rtl.flows.synthesis.result import Synthesis


def list_blocks() -> str:
    """A line for each block, below it its parameters as preset `rtl` has them, and what else a word may be."""
    lines = []
    for name, block in BLOCKS.items():
        parameters = block.contract.from_preset("rtl").parameters()
        for key, words in block.contract.choices.items():
            parameters[key] = "|".join([parameters[key], *(word for word in words if word != parameters[key])])
        lines.append(f"{name:14} {block.summary}; presets {', '.join(block.contract.presets)}")
        lines.append("               " + " ".join(f"{key}={value}" for key, value in parameters.items()))
    return "\n".join(lines) + "\n"


def read_contract(name: str, preset: str, settings: tuple[str, ...]) -> tuple[Contract, Mapping[str, str]]:
    """The contract that a command line describes, and how it differs from the preset.

    Raises
    ------
    UserError : no such block, an invalid setting, or one given twice
    ContractError : a preset, parameter or value that the block cannot have
    """
    if name not in BLOCKS:
        raise UserError(f"{name}: no such block{nearest(name, BLOCKS)}")
    changes = read_changes(settings)
    return BLOCKS[name].contract.from_text(preset, changes), changes


def read_changes(settings: tuple[str, ...], form: str = "PARAM=VALUE") -> dict[str, str]:
    """Parameter to value, as text, of several `--set PARAM=VALUE`.

    Parameters
    ----------
    form : what a setting looks like, for the message about one that does not

    Raises
    ------
    UserError : an invalid setting, or one given twice
    """
    changes: dict[str, str] = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UserError(f"--set {text}: expected {form}")
        if key in changes:
            raise UserError(f"--set {text}: {key} is given twice")
        changes[key] = value
    return changes


def export(contract: Contract, changes: Mapping[str, str], out: Path) -> None:
    """Write a block's files to a folder, as a whole.

    Raises
    ------
    OutputError : the folder cannot be written or holds something else
    ToolError, GenerateError : a tool is missing or complains
    """
    from hwsim.rtl.flows.export.export import MANIFEST, export_files

    check_folder(out, MANIFEST)
    write_folder(out, export_files(contract, settings=changes, version=VERSION), MANIFEST)


def simulate(contract: Contract, seed: int, say: Callable[[str], None]) -> Simulation:
    """Prove a block in Verilator; builds are kept in the user's cache.

    Raises
    ------
    ToolError, GenerateError : a tool is missing or complains
    """
    from hwsim.rtl.flows.simulation.simulate import simulate as run

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return run(contract, cache / "hwsim" / "rtl", seed, say)


def resources(contract: Contract) -> BlockResources:
    """What a block takes, as far as it is known without any tool.

    Raises
    ------
    UserError : the file of kept results is invalid
    """
    from hwsim.rtl.flows.synthesis.resources import block_resources
    from hwsim.rtl.flows.synthesis.result import RecordError

    try:
        return block_resources(contract)
    except RecordError as error:
        raise UserError(str(error)) from None


def synthesise(contract: Contract, target: str, record: Path | None, say: Callable[[str], None]) -> Synthesis:
    """Synthesise a block, and keep the result in a data file if one is given.

    Raises
    ------
    UserError : no such target, an invalid data file
    ToolError, GenerateError : a tool is missing or complains, the block fits no device
    """
    from hwsim.rtl.flows.synthesis.run import TARGETS
    from hwsim.rtl.flows.synthesis.run import synthesise as run

    if target not in TARGETS:
        raise UserError(f"--target {target}: no such target{nearest(target, TARGETS)}")
    if record is not None:
        _read_record(record)  # so that an invalid file is found before any work
    result = run(contract, target, say)
    if record is not None:
        _add_to(record, result)
    return result


def _add_to(record: Path, result: Synthesis) -> None:
    """Add a result to a data file, which another command may be doing too: one reads and writes at a time."""
    from hwsim.report.write import write_text
    from hwsim.rtl.flows.synthesis.result import records_text

    folder = os.open(record.resolve().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # of the folder, since the file is replaced
        write_text(record, records_text([*_read_record(record), result]))
    finally:
        os.close(folder)


def _read_record(record: Path) -> list[Synthesis]:
    from hwsim.rtl.flows.synthesis.result import RecordError, read_records

    try:
        return read_records(record) if record.exists() else []
    except RecordError as error:
        raise UserError(str(error)) from None
