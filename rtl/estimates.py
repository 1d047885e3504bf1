"""Resources of pieces of blocks on UltraScale+: the formulas of which resource estimates are composed.

They state how synthesis maps a piece (Yosys, `synth_xilinx -family xcup`), not what it counted for a block;
`benchmarks/resources.py` compares the sums with the counts.
"""

from __future__ import annotations

from dataclasses import replace

from hwsim.rtl.contract import Resources

DSP_A, DSP_B = 26, 17  # bits of each factor in one of several DSP48E2s that split a longer number
SHIFT_REGISTER_FROM = 3  # stages from which a delay becomes LUTs used as shift registers of up to 16
SHIFT_REGISTER_BITS = 16
RAMB18_COST, RAMB36_COST = 129, 257  # cost of block RAM, in LUTs, when Yosys chooses
LUTRAM_COST, URAM_COST = 16, 1024  # cost of eight LUTs as a memory, and of an UltraRAM
URAM_ROWS, URAM_BITS = 4096, 72


def delay(bits: int, stages: int) -> Resources:
    """Registers one after the other, without reset or a view at the stages between."""
    if stages < SHIFT_REGISTER_FROM:
        return Resources(ff=bits * stages)
    return Resources(lut=bits * -(-stages // SHIFT_REGISTER_BITS))


def register(bits: int) -> Resources:
    return Resources(ff=bits)


def adder(bits: int) -> Resources:
    """A sum, difference or comparison: one LUT per bit at the carry chain, which can include a multiplexer."""
    return Resources(adders=1, lut=bits)


def selector(bits: int) -> Resources:
    """A choice between two values that cannot be merged into a sum."""
    return Resources(lut=bits)


def multiplier(a_bits: int, b_bits: int, result_bits: int) -> Resources:
    """A product: several DSPs whose partial products are summed in LUTs over the bits that are used.

    The longer factor takes the DSP's longer side; a factor without bits needs no product.
    """
    if not a_bits or not b_bits:
        return Resources()
    long, short = max(a_bits, b_bits), min(a_bits, b_bits)
    dsp = -(-long // DSP_A) * -(-short // DSP_B)
    return Resources(multipliers=1, dsp=dsp, lut=(dsp - 1) * result_bits)


def shifter(bits: int, places: int) -> Resources:
    """A shift by up to `places`: for each bit a six-input LUT chooses one of four, by two bits of the amount."""
    return Resources(lut=bits * -(-places.bit_length() // 2))


def leading_one(bits: int) -> Resources:
    """The position of the highest set bit: a chain of choices for each bit of the position."""
    return Resources(lut=bits * bits.bit_length() // 2)


def rom(rows: int, bits: int) -> Resources:
    """A table with an output register: in LUTs of 64 rows per bit, or in block RAM where that is cheaper for Yosys."""
    luts = -(-rows * bits // 64)
    return _cheapest((luts, Resources(lut=luts, ff=bits)), *_block_ram(rows, bits))


def memory(rows: int, bits: int) -> Resources:
    """A memory with a write port and a registered read port: in LUTs, block RAM or UltraRAM, whichever is cheapest."""
    without_uram = _cheapest(_in_luts(rows, bits), *_block_ram(rows, bits))
    best = _cheapest(_in_luts(rows, bits), *_block_ram(rows, bits), _ultra_ram(rows, bits))
    return Resources(sram_bytes=rows * bits // 8) + (replace(best, elsewhere=without_uram) if best.uram else best)


def lut_memory(rows: int, bits: int) -> Resources:
    """A memory that a design puts into LUTs, whatever would be cheapest."""
    return Resources(sram_bytes=rows * bits // 8) + _in_luts(rows, bits)[1]


def half_block_rams(rows: int, bits: int, count: int) -> Resources:
    """Equal memories that a design puts into block RAMs of 18 Kb, whatever would be cheapest: two fill one of 36 Kb."""
    each = min(-(-rows // (512 << i)) * -(-bits // width) for i in range(6) if (width := 36 >> i))
    return Resources(sram_bytes=count * rows * bits // 8, bram36=-(-count * each // 2))


Way = tuple[int, Resources]  # the cost by which Yosys chooses, and the resources


def _cheapest(*ways: Way) -> Resources:
    return min(ways, key=lambda way: way[0])[1]


def _in_luts(rows: int, bits: int) -> Way:
    """In LUTs, of which eight are a memory of 14 bits of 32 rows (RAM32M16) or of 7 bits of 64 (RAM64M8)."""
    banks = 1 if rows <= 32 else -(-rows // 64)
    parts = -(-bits // 14) if rows <= 32 else -(-bits // 7) * banks
    return LUTRAM_COST * parts, Resources(lut=8 * parts, ff=bits) + choice(banks, bits)


def _block_ram(rows: int, bits: int) -> tuple[Way, Way]:
    """In block RAMs of 36 or of 18 Kb, several of them in depth for more rows.

    One has 512 rows of 72 or 36 bits, or twice the rows of half the bits, and so on.
    """
    (halves, split_18), (wholes, split_36) = (
        min((-(-rows // depth) * -(-bits // width), -(-rows // depth)) for depth, width in shapes if width)
        for shapes in ([(512 << i, kilobits * 2 >> i) for i in range(6)] for kilobits in (18, 36))
    )
    return (
        (wholes * RAMB36_COST, Resources(bram36=wholes) + choice(split_36, bits)),
        (halves * RAMB18_COST, Resources(bram36=-(-halves // 2)) + choice(split_18, bits)),
    )


def _ultra_ram(rows: int, bits: int) -> Way:
    """In UltraRAMs of 4096 rows of 72 bits; a row holds two, four or more narrow words."""
    beside = 1 << (URAM_BITS // bits).bit_length() - 1 if bits <= URAM_BITS else 1
    count = -(-rows // (URAM_ROWS * beside)) * -(-bits * beside // URAM_BITS)
    return count * URAM_COST, Resources(uram=count) + choice(-(-rows // URAM_ROWS), bits)


def choice(sources: int, bits: int) -> Resources:
    """One of several words: for each bit a six-input LUT chooses among four."""
    return Resources(lut=bits * -(-(sources - 1) // 3))
