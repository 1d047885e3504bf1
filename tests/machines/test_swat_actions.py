"""What SWAT's units do for rows, by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.energy.fpga import FpgaCounts, break_down_fpga, fpga_table
from hwsim.machines.swat.actions import (
    core_active_cycles,
    cores_done,
    divisions_done,
    numbers_done,
    scheduler_done,
    vectors_done,
)
from hwsim.mapping.formats import FP32
from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.flows.synthesis.result import Cells
from hwsim.rtl.row_scheduler.contract import RowSchedulerContract
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.z_reduce.contract import ZReduceContract

CORE = AttentionCoreContract(head_dim=4)
DONE = cores_done(CORE, core_rows=5, loads=3)


def test_a_pair_of_row_and_key_takes_a_product_of_k_one_of_v_and_an_exp() -> None:
    assert [(work.name, work.count, work.dsps) for work in DONE.operations] == [
        ("mac", 20, 4),  # the product of Q and K, and its sum
        ("mac", 20, 2),  # of the exp and V, whose sum is the reductions'
        ("exp", 5, 2),
    ]
    assert FpgaCounts(seconds=1, cycles=1, units=(DONE.work("cores", Cells(), 0),)).macs == 2 * 5 * 4


def test_a_row_reads_k_and_v_of_a_core_and_a_load_writes_them() -> None:
    assert (DONE.bram_bits_read, DONE.bram_bits_written) == (5 * 2 * 4 * 16, 3 * 2 * 4 * 16)
    wide = cores_done(replace(CORE, fmt=FP32, sum_fmt=FP32), core_rows=5, loads=3)
    assert wide.bram_bits_read == 2 * DONE.bram_bits_read


def test_a_safe_softmax_subtracts_for_each_pair() -> None:
    safe = cores_done(replace(CORE, softmax="safe"), core_rows=5, loads=0)
    assert [(work.name, work.count) for work in safe.operations][-1] == ("difference", 5)


def test_the_reductions_add_up_all_cores_of_each_row() -> None:
    """Seven vectors in groups of 3, 3 and 1 take 2 + 2 + 0 sums; of three groups and a partial row, three."""
    vectors = ZReduceContract(head_dim=2, cores=7, group=3)
    assert [vectors_done(vectors, level, rows=10).operations[0].count for level in (1, 2)] == [10 * 4 * 2, 10 * 3 * 2]
    numbers = RowSumContract(cores=7, group=3)
    assert [numbers_done(numbers, level, rows=10).operations[0].count for level in (1, 2)] == [70, 30]
    assert numbers_done(replace(numbers, operation="maximum"), 1, rows=10).operations[0].dsps == 0


def test_rows_of_q_are_scaled_and_whole_rows_divided() -> None:
    assert scheduler_done(RowSchedulerContract(head_dim=4), rows=10).operations[0].count == 40
    assert divisions_done(DivideOutContract(head_dim=4), divided=7).operations[0].count == 28


def test_the_operations_of_a_row_take_all_dsp_slices_of_a_unit_an_interval() -> None:
    """Where all cores work, QK and SV take their slices once for each element of a row."""
    slices = CORE.resources().dsp
    one = cores_done(CORE, core_rows=1, loads=0).operations
    assert sum(work.dsps for work in one) == slices
    tree = ZReduceContract.from_preset("published")
    added = vectors_done(tree, 1, rows=1).operations[0]
    assert added.count * added.dsps == tree.of_level(1).resources().dsp * tree.interval * tree.head_dim


def test_cores_without_a_key_that_a_row_attends_rest() -> None:
    busy = {"QK": 201, "SV": 197}
    assert core_active_cycles(busy, core_rows=512, rows=1, cores=512) == 199
    assert core_active_cycles(busy, core_rows=256, rows=1, cores=512) == 99
    assert core_active_cycles(busy, core_rows=0, rows=0, cores=512) == 0


def test_what_rests_costs_its_clock_alone() -> None:
    table = fpga_table("u55c")
    assert table
    cells = Cells(lut=1000, ff=2000)
    resting = cores_done(CORE, core_rows=0, loads=0).work("cores", cells, 0)
    parts = {p.name: p.joules for p in break_down_fpga(FpgaCounts(seconds=1, cycles=10, units=(resting,)), table)}
    assert parts["clock_tree"] == pytest.approx(2000 * 10 * 0.0206e-12)
    assert parts["logic"] == parts["dsp"] == parts["block_ram"] == 0


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 9))
def test_work_adds_up(pairs: int, more: int, loads: int) -> None:
    whole = cores_done(CORE, core_rows=pairs + more, loads=loads)
    parts = cores_done(CORE, core_rows=pairs, loads=loads) + cores_done(CORE, core_rows=more, loads=0)
    assert whole.bram_bits_read == parts.bram_bits_read
    assert whole.bram_bits_written == parts.bram_bits_written
    assert sum(w.count * w.dsps for w in whole.operations) == sum(w.count * w.dsps for w in parts.operations)
