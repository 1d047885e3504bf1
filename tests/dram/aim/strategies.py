"""Random AiM programs that mix every kind of instruction."""

from hypothesis import strategies as st

from hwsim.dram.aim.isa import OPERATIONS, TRACE_OPERATIONS, Instruction

EOC = Instruction(operation="EOC")
KINDS = [name for name in TRACE_OPERATIONS if name != "EOC"]


@st.composite
def instructions(draw: st.DrawFn, kinds: list[str], channels: int) -> Instruction:
    operation = OPERATIONS[draw(st.sampled_from([*kinds, "WR_CFR"]))]
    everyone = (1 << channels) - 1
    if operation.name == "WR_CFR":
        return Instruction(operation="WR_CFR", bank=2, row=draw(st.integers(0, 7)))
    fields = operation.fields
    counts = "opsize" in fields and operation.command is not None
    return Instruction(
        operation=operation.name,
        opsize=draw(st.sampled_from([1, 2, 5, 40, 64])) if counts else 1,
        mask=draw(st.one_of(st.just(everyone), st.integers(1, everyone))) if "mask" in fields else 0,
        bank=draw(st.sampled_from([0, 0, 1, 4, 15])) if "bank" in fields else -1,
        row=draw(st.integers(0, 2)) if "row" in fields else -1,
    )


@st.composite
def programs(draw: st.DrawFn, channels: int) -> list[Instruction]:
    """A program of a few kinds of instruction, so that some of them often follow each other; ends with EOC."""
    kinds = draw(st.lists(st.sampled_from([*KINDS, "RD_SBK", "WR_SBK"]), min_size=1, max_size=12))
    return [*draw(st.lists(instructions(kinds, channels), max_size=40)), EOC]
