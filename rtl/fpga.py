"""What pieces of blocks take on UltraScale+: the formulas that resource estimates are composed of.

They state how synthesis maps a piece (Yosys, `synth_xilinx -family xcup`), not what it counted for a block;
`benchmarks/resources.py` sets the sums beside the counts.
"""

from __future__ import annotations

from rtl.contract import Resources

DSP_A, DSP_B = 26, 17  # bits of a DSP48E2's factors that several of them share a longer number by
SHIFT_REGISTER_FROM = 3  # stages from which a delay becomes LUTs used as shift registers of up to 16
SHIFT_REGISTER_BITS = 16
RAMB18_COST, RAMB36_COST = 129, 257  # of block RAM, in LUTs, when Yosys chooses between them


def delay(bits: int, stages: int) -> Resources:
    """Registers one behind the other, without reset or a view at the stages between."""
    if stages < SHIFT_REGISTER_FROM:
        return Resources(ff=bits * stages)
    return Resources(lut=bits * -(-stages // SHIFT_REGISTER_BITS))


def register(bits: int) -> Resources:
    return Resources(ff=bits)


def adder(bits: int) -> Resources:
    """A sum, difference or comparison: a LUT a bit in front of the carry chain; a multiplexer joins it."""
    return Resources(adders=1, lut=bits)


def selector(bits: int) -> Resources:
    """A choice between two values that joins no sum."""
    return Resources(lut=bits)


def multiplier(a_bits: int, b_bits: int, result_bits: int) -> Resources:
    """A product: DSPs side by side, their parts summed in LUTs over the bits that are used.

    The longer factor takes the DSP's longer side; a factor without bits makes no product.
    """
    if not a_bits or not b_bits:
        return Resources()
    long, short = max(a_bits, b_bits), min(a_bits, b_bits)
    dsp = -(-long // DSP_A) * -(-short // DSP_B)
    return Resources(multipliers=1, dsp=dsp, lut=(dsp - 1) * result_bits)


def shifter(bits: int, places: int) -> Resources:
    """A shift by up to `places`: a LUT of six inputs chooses one of four a bit, for two bits of the amount."""
    return Resources(lut=bits * -(-places.bit_length() // 2))


def leading_one(bits: int) -> Resources:
    """The position of the highest set bit: a chain of choices for each bit of the position."""
    return Resources(lut=bits * bits.bit_length() // 2)


def rom(rows: int, bits: int) -> Resources:
    """A table behind a register: in LUTs of 64 rows a bit, or in block RAM where that is cheaper by Yosys's costs."""
    return _luts_or_blocks(rows, bits, luts=-(-rows * bits // 64))


def memory(rows: int, bits: int) -> Resources:
    """A memory with a port to write and a registered one to read: in LUTs (RAM32M, RAM64M) or in block RAM."""
    luts = 4 * -(-bits // 6) if rows <= 32 else 4 * -(-bits // 3) * -(-rows // 64)
    return Resources(sram_bytes=rows * bits // 8) + _luts_or_blocks(rows, bits, luts=luts)


def _luts_or_blocks(rows: int, bits: int, *, luts: int) -> Resources:
    """What is read through a register: in as many LUTs, or in block RAM where Yosys counts that as cheaper."""
    (halves, split_18), (wholes, split_36) = (_blocks(rows, bits, kilobits) for kilobits in (18, 36))
    if luts <= min(halves * RAMB18_COST, wholes * RAMB36_COST):
        return Resources(lut=luts, ff=bits)
    if halves * RAMB18_COST < wholes * RAMB36_COST:
        return Resources(bram36=-(-halves // 2)) + _choice(split_18, bits)
    return Resources(bram36=wholes) + _choice(split_36, bits)


def _blocks(rows: int, bits: int, kilobits: int) -> tuple[int, int]:
    """Block RAMs of 18 or 36 Kb, and how many of them lie behind each other for the rows.

    One has 512 rows of 36 or 72 bits, or twice the rows of half the bits, and so on.
    """
    shapes = [(512 << i, kilobits * 2 >> i) for i in range(6)]
    return min((-(-rows // depth) * -(-bits // width), -(-rows // depth)) for depth, width in shapes if width)


def _choice(sources: int, bits: int) -> Resources:
    """One of several words: a LUT of six inputs chooses among four a bit."""
    return Resources(lut=bits * -(-(sources - 1) // 3))
