"""What the blocks of row-wise attention take, against counts by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import BF16, FP16, FP32
from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.estimates import half_block_rams, lut_memory
from hwsim.rtl.float_operators import FloatOperator, Operation, conversion, float_operator
from hwsim.rtl.row_scheduler.contract import RowSchedulerContract
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.z_reduce.contract import ZReduceContract

OPERATIONS: tuple[Operation, ...] = ("add", "multiply", "exp", "divide")
SEVEN = ZReduceContract(head_dim=2, cores=7, group=3, interval=1)  # groups of 3, 3 and 1
COUNTS = ("lut", "ff", "dsp", "bram36", "sram_bytes")


def at_least(more: Resources, less: Resources) -> bool:
    return all(getattr(more, kind) >= getattr(less, kind) for kind in COUNTS)


def test_a_core_has_two_multipliers_an_adder_and_an_exp() -> None:
    cells = AttentionCoreContract(head_dim=4).resources()
    assert cells.dsp == 2 + 2 + 2 + 2
    assert cells.lut == 2 * 34 + 113 + 197 + 16 + 3 * 4  # operators, two banks of products, counters of eight
    assert cells.ff == 2 * 91 + 109 + 167 + 16 + 4 * 16 + 3 * 4
    assert AttentionCoreContract(head_dim=4, fmt=FP32, sum_fmt=FP32).resources().dsp == 3 + 2 + 7 + 3


def test_a_wider_sum_in_a_core_takes_a_wider_adder_and_conversions() -> None:
    narrow = AttentionCoreContract(head_dim=4).resources()
    wide = AttentionCoreContract(head_dim=4, sum_fmt=FP32).resources()
    assert wide.dsp == narrow.dsp
    assert wide.lut == narrow.lut - 113 + 226 + 8 + 39  # one adder for the other, there and back


def test_a_safe_softmax_subtracts_the_maximum_in_each_core() -> None:
    plain = AttentionCoreContract.from_preset("published")
    safe = replace(plain, softmax="safe")
    assert safe.resources().dsp == plain.resources().dsp + 2
    assert [safe.cycles("qk"), safe.cycles("sv")] == [plain.cycles("qk"), plain.cycles("sv")]
    with pytest.raises(ContractError, match="attention_core: softmax must be plain or safe, got 'none'"):
        replace(plain, softmax="none")


def test_keys_and_values_take_a_block_ram_of_18_kb_each_until_their_two_banks_outgrow_it() -> None:
    assert [AttentionCoreContract(head_dim=h).resources().bram36 for h in (1, 64, 512, 513)] == [1, 1, 1, 2]
    assert [AttentionCoreContract(head_dim=h, fmt=FP32).resources().bram36 for h in (64, 256, 257)] == [1, 1, 2]
    assert 512 * AttentionCoreContract.from_preset("published").resources().bram36 / 2016 == pytest.approx(
        0.254, abs=1e-3
    )


def test_the_tree_of_a_group_takes_an_adder_less_than_it_has_vectors() -> None:
    assert SEVEN.of_level(1).resources().dsp == 2 * (2 + 2 + 0)
    assert SEVEN.of_level(2).resources().dsp == 2 * 3  # three groups, and what an earlier pass found


def test_adders_of_a_tree_take_turns_where_an_element_may_take_several_cycles() -> None:
    turns = [replace(SEVEN, interval=interval) for interval in (1, 2, 3)]
    assert [c.of_level(1).resources().dsp // 2 for c in turns] == [4, 2, 2]
    assert [c.of_level(2).resources().dsp // 2 for c in turns] == [3, 2, 1]
    published = ZReduceContract.from_preset("published")
    assert published.of_level(1).resources().dsp // 2 == 8 * 21  # 63 additions of a group in three cycles
    assert published.of_level(2).resources().dsp // 2 == 3


def test_a_sum_of_numbers_takes_an_adder_a_group_and_a_maximum_none() -> None:
    seven = RowSumContract(cores=7, group=3)
    assert [seven.of_level(level).resources().dsp for level in (1, 2)] == [2 * 3, 2]
    assert replace(seven, operation="maximum").resources().dsp == 0


@pytest.mark.parametrize("contract", [SEVEN, RowSumContract(cores=7, group=3)])
def test_a_level_changes_what_is_counted_and_no_cycle(contract: ZReduceContract | RowSumContract) -> None:
    one, two = contract.of_level(1), contract.of_level(2)
    assert one.resources() + two.resources() == contract.resources()
    for level in (1, 2):
        assert one.cycles(level) == two.cycles(level) == contract.cycles(level)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="level must be both or 1 or 2, got '3'"):
        replace(contract, level="3")


def test_the_divider_divides_in_the_format_of_the_sums() -> None:
    wide = DivideOutContract(sum_fmt=FP32).resources()
    assert (wide.dsp, wide.multipliers) == (0, 0)
    assert wide.lut > 3 * DivideOutContract(sum_fmt=FP16).resources().lut


def test_a_scheduler_scales_what_it_loads_of_q() -> None:
    assert RowSchedulerContract().resources().multipliers == 1


def test_a_scheduler_holds_a_table_only_for_patterns_that_need_one() -> None:
    window = RowSchedulerContract(cores=4)
    table = replace(window, entries=64, index_bits=8)
    assert table.resources().sram_bytes - replace(window, index_bits=8).resources().sram_bytes == 64 * (8 + 3) // 8
    with pytest.raises(ContractError, match="row_scheduler: entries must be 0 to 16777216, got -1"):
        RowSchedulerContract(entries=-1)


@given(st.integers(1, 600), st.integers(1, 600), st.integers(1, 96), st.integers(1, 8))
def test_more_cores_and_longer_rows_never_take_less(cores: int, more: int, group: int, interval: int) -> None:
    few = ZReduceContract(cores=cores, group=group, interval=interval)
    many = replace(few, cores=cores + more)
    assert at_least(many.resources(), few.resources())
    numbers = RowSumContract(cores=cores, group=group)
    assert at_least(replace(numbers, cores=cores + more).resources(), numbers.resources())
    short = AttentionCoreContract(head_dim=cores)
    assert at_least(replace(short, head_dim=cores + more).resources(), short.resources())
    kinds: tuple[Contract, ...] = (few, RowSchedulerContract(cores=cores), DivideOutContract())
    for contract in kinds:
        longer = replace(contract, head_dim=cores + more)  # type: ignore[call-arg]
        assert at_least(longer.resources(), replace(contract, head_dim=cores).resources())  # type: ignore[call-arg]


def test_every_operator_says_where_its_figures_come_from() -> None:
    found = {(o, f.name): float_operator(o, f) for o in OPERATIONS for f in (BF16, FP16, FP32)}
    grades = {key: operator.grade for key, operator in found.items()}
    assert [grades[o, "fp16"] for o in OPERATIONS] == ["S", "S", "C", "C"]
    assert [grades[o, "fp32"] for o in OPERATIONS] == ["S", "M", "M", "C"]
    assert [grades[o, "bf16"] for o in OPERATIONS] == ["A", "A", "C", "C"]
    assert all(isinstance(operator, FloatOperator) and operator.source for operator in found.values())


def test_our_exp_agrees_with_the_multipliers_of_its_mantissa() -> None:
    assert float_operator("exp", FP16).cells.dsp == 2  # by log2 e, and one of a line for each segment


def test_a_conversion_takes_nothing_between_equal_formats_and_more_where_bits_are_lost() -> None:
    assert conversion(FP16, FP16) == Resources()
    assert conversion(FP32, FP16).lut > conversion(FP16, FP32).lut > 0


def test_memories_that_a_design_puts_somewhere_itself() -> None:
    assert half_block_rams(128, 16, 2) == Resources(bram36=1, sram_bytes=512)
    assert half_block_rams(1024, 32, 3) == Resources(bram36=3, sram_bytes=3 * 4096)
    assert lut_memory(64, 14) == Resources(lut=16, ff=14, sram_bytes=112)
