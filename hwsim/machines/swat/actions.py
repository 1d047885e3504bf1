"""What the units do for rows, as far as energy depends on it: operations with their DSP slices, and bits of block RAM.

A core works on a row if it holds a key that the row attends. Otherwise it rests: its registers are clocked, as all
registers of the FPGA, but its logic, its DSP slices and its memories do nothing. The reductions work on every row
whole: their adders are wired to all cores, and those that rest give zeros.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.energy.fpga import Operations, UnitWork
from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.float_operators import float_operator
from hwsim.rtl.flows.synthesis.result import Cells
from hwsim.rtl.row_scheduler.contract import RowSchedulerContract
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.z_reduce.contract import Level, ZReduceContract


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a unit did, over all of its kind and all pipelines."""

    operations: tuple[Operations, ...] = ()
    bram_bits_read: int = 0
    bram_bits_written: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(
            operations=self.operations + other.operations,
            bram_bits_read=self.bram_bits_read + other.bram_bits_read,
            bram_bits_written=self.bram_bits_written + other.bram_bits_written,
        )

    def work(self, unit: str, cells: Cells, active_cycles: int) -> UnitWork:
        """This as the work of a unit.

        Parameters
        ----------
        cells : of all of its kind
        active_cycles : the mean over them
        """
        return UnitWork(
            unit=unit,
            lut=cells.lut,
            ff=cells.ff,
            active_cycles=active_cycles,
            operations=self.operations,
            bram_bits_read=self.bram_bits_read,
            bram_bits_written=self.bram_bits_written,
        )


def cores_done(core: AttentionCoreContract, *, core_rows: int, loads: int) -> Done:
    """Scores, exps and weighted values of all cores, whose K and V are read for each row and written for each load.

    A multiply-accumulate of a score is a product and a sum; the products of V are summed elsewhere.

    Parameters
    ----------
    core_rows : pairs of a row and a core that works on it, the attended pairs
    loads : rows of K, and of V, that were loaded into cores
    """
    multiply, exp = core.operator("multiply").dsp, core.operator("exp").dsp
    products, vectors = core_rows * core.head_dim, 2 * core.head_dim * core.fmt.bits
    operations = [
        Operations(name="mac", count=products, dsps=multiply + core.adder.dsp),
        Operations(name="mac", count=products, dsps=multiply),
        Operations(name="exp", count=core_rows, dsps=exp),
    ]
    if core.softmax == "safe":
        operations.append(Operations(name="difference", count=core_rows, dsps=core.operator("add").dsp))
    return Done(operations=tuple(operations), bram_bits_read=core_rows * vectors, bram_bits_written=loads * vectors)


def scheduler_done(contract: RowSchedulerContract, *, rows: int) -> Done:
    """The scaling of rows of Q; loads are counted where they are written."""
    scale = float_operator("multiply", contract.fmt).cells.dsp
    return Done(operations=(Operations(name="scale", count=rows * contract.head_dim, dsps=scale),))


def vectors_done(contract: ZReduceContract, level: Level, *, rows: int) -> Done:
    """Sums of vectors in a level; the second one adds what another pass found of a row, or zeros."""
    sums = contract.cores - contract.groups if level == 1 else contract.groups
    dsps = float_operator("add", contract.sum_fmt).cells.dsp
    return Done(operations=(Operations(name="add", count=rows * sums * contract.head_dim, dsps=dsps),))


def numbers_done(contract: RowSumContract, level: Level, *, rows: int) -> Done:
    """Sums, or maxima, of numbers in a level: each passes the adder, or the comparison, which has no DSP slices."""
    count = rows * (contract.cores if level == 1 else contract.groups)
    if contract.operation == "maximum":
        return Done(operations=(Operations(name="maximum", count=count, dsps=0),))
    return Done(
        operations=(Operations(name="add", count=count, dsps=float_operator("add", contract.sum_fmt).cells.dsp),)
    )


def divisions_done(contract: DivideOutContract, *, divided: int) -> Done:
    """Divisions of rows that leave divided; a partial row passes."""
    dsps = float_operator("divide", contract.sum_fmt).cells.dsp
    return Done(operations=(Operations(name="divide", count=divided * contract.head_dim, dsps=dsps),))


def core_active_cycles(busy: Mapping[str, int], *, core_rows: int, rows: int, cores: int) -> int:
    """Cycles in which a core works, the mean over cores and over the halves of one, which do QK and SV of two rows.

    Parameters
    ----------
    busy : cycles of the stages QK and SV, the mean over pipelines
    core_rows : pairs of a row and a core that works on it
    rows, cores : rows that passed, and cores of the pipeline that each passed
    """
    return (busy["QK"] + busy["SV"]) * core_rows // (2 * rows * cores) if rows else 0
