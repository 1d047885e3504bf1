"""The linear unit: reader, multipliers and writer, three loops with FIFOs between them."""

from __future__ import annotations

from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from hwsim.fabric.tasks.walk import Walk, give_tiles, port_fifo, take_tiles
from hwsim.rtl.linear.command import Command
from hwsim.rtl.linear.contract import LinearContract


def linear_task(
    contract: LinearContract,
    command: Command,
    *,
    name: str,
    kind: str = "linear",
    unit: str = "linear",
    x: Walk,
    y: Walk,
    dst: Walk | None = None,
    beat_bits: int,
) -> Task:
    """The tokens of a command, whose weights lie in a bank already.

    A token may be begun while fewer than `index_fifo` are between reader and writer: the FIFO `places` holds what is
    free. The unit keeps a token's inputs while it computes the other outputs, so the multipliers take them once.

    Parameters
    ----------
    x, y, dst : tiles of inputs and results; with `use_score`, the results that others are added to
    """
    contract.check(command)
    in_beats = max(1, contract.in_lanes * contract.activation.width // beat_bits)
    out_beats = max(1, contract.out_lanes * contract.accumulator.width // beat_bits)
    loops = (
        _reader(contract, command, unit, beat_bits),
        _multipliers(contract, command, unit),
        _writer(contract, command, unit, beat_bits),
    )
    fifos = [
        port_fifo("x", in_beats),
        Fifo("places", contract.index_fifo, filled=contract.index_fifo),
        Fifo("in", contract.in_fifo),
        Fifo("out", contract.out_fifo),
        port_fifo("y", out_beats),
    ]
    transfers = [x.read("x"), y.write("y")]
    if command.use_score:
        assert dst is not None
        fifos.append(port_fifo("dst", out_beats))
        transfers.append(dst.read("dst"))
    return Task(unit=unit, kind=kind, name=name, fifos=fifos, loops=loops, transfers=transfers)


def _reader(c: LinearContract, command: Command, unit: str, beat_bits: int) -> Loop:
    """Tokens through a queue come later by what lies between the queue and the first read."""
    gather = c.gather_stages * command.use_expert
    takes = (
        take_tiles("x", c.in_lanes * c.activation.width, beat_bits),
        Take("places", when=Pattern(period=command.in_tiles)),
    )
    gives = (Give("in", after=c.fetch_edges(command) - gather - 2),)
    return Loop(
        name="read", unit=unit, trips=command.tokens * command.in_tiles, start=1 + gather, takes=takes, gives=gives
    )


def _multipliers(c: LinearContract, command: Command, unit: str) -> Loop:
    takes = (Take("in", when=Pattern(period=command.words, length=command.in_tiles)),)
    last = Pattern(first=command.in_tiles - 1, period=command.in_tiles)
    # a cycle less than to the end of the out FIFO, and one more for the FIFO itself, which the writer counts
    gives = (Give("out", when=last, after=c.compute_edges(command) - 2),)
    return Loop(name="multiply", unit=unit, trips=command.tokens * command.words, takes=takes, gives=gives)


def _writer(c: LinearContract, command: Command, unit: str, beat_bits: int) -> Loop:
    tile_bits = c.out_lanes * c.accumulator.width
    takes = [Take("out")]
    if command.use_score:
        takes.append(take_tiles("dst", tile_bits, beat_bits))
    gives = (
        give_tiles("y", tile_bits, beat_bits, after=c.write_edges(command) + 1),
        Give("places", when=Pattern(first=command.out_tiles - 1, period=command.out_tiles)),
    )
    return Loop(name="write", unit=unit, trips=command.tokens * command.out_tiles, takes=takes, gives=gives)
