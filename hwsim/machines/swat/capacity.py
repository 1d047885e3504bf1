"""Whether the channels of the board's memory hold what a program keeps in them."""

from __future__ import annotations

from hwsim.errors import MachineError
from hwsim.machines.swat.lower import AttentionWork, Program


def check_capacity(program: Program) -> None:
    """Check channels one by one: rows of q, k, v and z of a pipeline's heads, and weights of the companion.

    What an operator has read makes room for the next one, so that each is looked at by itself; weights stay.

    Raises
    ------
    MachineError : something does not fit; the line says what, how large it is and what a channel holds
    """
    spec = program.spec
    room = spec.channel.address_mapping.capacity_bytes
    for step in dict.fromkeys(program.steps()):
        for work in program.works(step):
            if isinstance(work, AttentionWork):
                _check_rows(work, room, spec.name)
    if program.companion:
        weights = sum(program.mapped.placement.weights.values())
        each = -(-weights // spec.matrix.weight_channels)
        if each > room:
            raise MachineError(
                f"{spec.name}: weights take {each:,} B in each of {spec.matrix.weight_channels} channels "
                f"(matrix.weight_channels), which hold {room:,} B"
            )


def _check_rows(work: AttentionWork, room: int, machine: str) -> None:
    """The first pipeline has most heads."""
    blocks = {"q": 0, "k": 0}
    layout, pipelines = work.design.layout.row, work.design.spec.pipelines
    for group in work.groups:
        heads = len(group.dealt(0, pipelines))
        blocks["q"] += heads * -(-group.plan.queries // layout.per_block)
        blocks["k"] += heads * -(-group.plan.keys // layout.per_block)
    for name, count in blocks.items():
        if (size := count * layout.block_bytes) > room:
            raise MachineError(
                f"{machine}: {work.operator.name}: {name} of a pipeline's heads takes {size:,} B, and a channel holds "
                f"{room:,} B"
            )
