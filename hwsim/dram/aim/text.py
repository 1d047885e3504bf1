"""Instructions as lines of a trace: the inverse of the parsers."""

from __future__ import annotations

from hwsim.dram.aim.isa import OPERATIONS, Instruction

REGISTER = 0  # host register that a line names; timing does not depend on it


def line_of(instruction: Instruction) -> str:
    """One line of a trace, without its end.

    Source: the grammar of docs/aim-trace.md. Masks are hexadecimal.
    """
    if instruction.operation == "WR_CFR":
        return f"W CFR {instruction.bank} {instruction.row}"
    if instruction.operation == "HOST":
        return f"W GPR {REGISTER}"
    texts = {
        "opsize": str(instruction.opsize),
        "gpr0": str(REGISTER),
        "gpr1": str(REGISTER),
        "mask": hex(instruction.mask),
        "bank": str(instruction.bank),
        "row": str(instruction.row),
    }
    words = ["AiM", instruction.operation, *(texts[field] for field in OPERATIONS[instruction.operation].fields)]
    return " ".join(words)
