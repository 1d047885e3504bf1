"""The patch embedding: pixels into banks of stripes, products, sums with positions."""

from __future__ import annotations

from hwsim.errors import WiringError
from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from hwsim.fabric.tasks.walk import Walk, port_fifo
from hwsim.rtl.patch_embed.command import Command
from hwsim.rtl.patch_embed.contract import BUFFER_EDGES, HOLD_EDGES, POSITION_EDGES, PatchEmbedContract

BANKS = 2


def patches_task(
    c: PatchEmbedContract, command: Command, *, name: str, pixels: Walk | None, positions: Walk, y: Walk
) -> Task:
    """The stripes of an image, and before them the class token's row, which is a row of positions.

    A stripe is computed when it is in its bank, and the bank is free with the last iteration. Since what a loop gives
    can be taken in the next cycle, the last iteration but one says both.

    Parameters
    ----------
    pixels : None for the class token's row alone
    """
    c.check(command)
    first = c.token_beats * command.class_token  # beats before the first patch
    trips = first + command.stripes * c.stripe_patches * c.token_beats
    takes = [Take("positions")]
    loops: list[Loop] = []
    fifos = [port_fifo("positions"), port_fifo("y")]
    transfers = [positions.read("positions"), y.write("y")]
    if command.stripes:
        assert pixels is not None
        loops += [_pixels(c, command), _multiply(c, command, start=1 + first)]
        fifos += [port_fifo("pixels"), Fifo("full", BANKS), Fifo("free", BANKS, filled=BANKS)]
        fifos.append(Fifo("sums", c.tile_beats))
        transfers.append(pixels.read("pixels"))
        takes.append(Take("sums", when=Pattern(first=first)))
    gives = (Give("y", after=POSITION_EDGES + c.output_stages),)
    loops.append(Loop(name="positions", unit="patch_embed", trips=trips, start=1, takes=takes, gives=gives))
    return Task(unit="patch_embed", kind="patch_embed", name=name, fifos=fifos, loops=loops, transfers=transfers)


def _pixels(c: PatchEmbedContract, command: Command) -> Loop:
    beats = c.stripe_beats
    if beats < 2 or c.stripe_iterations < 2:
        raise WiringError(f"patch_embed: expected at least 2 beats and iterations a stripe, got {beats}")
    return Loop(
        name="pixels", unit="patch_embed", trips=command.stripes * beats,
        takes=(Take("pixels"), Take("free", when=Pattern(period=beats))),
        gives=(Give("full", when=Pattern(first=beats - 2, period=beats)),),
    )  # fmt: skip


def _multiply(c: PatchEmbedContract, command: Command, *, start: int) -> Loop:
    trips, tile = c.stripe_iterations, c.in_tiles
    sums = Give(
        "sums", c.tile_beats, Pattern(first=tile - 1, period=tile), after=BUFFER_EDGES + c.tile.latency + HOLD_EDGES - 1
    )
    free = Give("free", when=Pattern(first=trips - 2, period=trips), after=c.interval)
    return Loop(
        name="multiply", unit="patch_embed", trips=command.stripes * trips, interval=c.interval, start=start,
        takes=(Take("full", when=Pattern(period=trips)),), gives=(sums, free),
    )  # fmt: skip
