"""Contracts of M3ViT's engine and of memories on an FPGA."""

import pytest

from hwsim.rtl.buffer_memory.contract import BufferMemoryContract
from hwsim.rtl.contract import ContractError
from hwsim.rtl.head_engine.contract import HeadEngineContract, MatrixWork

ENGINE = HeadEngineContract.from_preset("published")


def test_a_matrix_is_spread_over_all_heads() -> None:
    assert (ENGINE.macs_per_cycle, ENGINE.latency, ENGINE.proven) == (1536, 6, False)
    assert ENGINE.matrix_tiles(384, 384) == 384 * 384 // 1536
    assert ENGINE.matrix_tiles(384, 16) == 48  # 16 of 192 outputs at a time: the rest is padding
    assert ENGINE.matrix_tiles(385, 193) == 2 * 49


def test_a_head_of_attention_has_a_tile_of_its_own() -> None:
    assert ENGINE.score_tiles(12, 32, 1024) == ENGINE.value_tiles(12, 32, 1024) == 12 * 32 * 1024 // 1536
    assert ENGINE.score_tiles(3, 64, 129) == 9 * 8  # nine tiles rest
    assert ENGINE.score_tiles(13, 32, 16) == 2 * 4  # the thirteenth head comes after the others
    assert ENGINE.value_tiles(3, 64, 129) == 4 * 17


def test_vectors_follow_each_other_without_a_gap() -> None:
    assert [ENGINE.cycles(MatrixWork(rows, 384, 384)) for rows in (0, 1, 2, 1024)] == [0, 102, 198, 98_310]


def test_its_multipliers_are_those_of_its_tiles() -> None:
    assert ENGINE.resources().dsp == 1536
    assert HeadEngineContract.from_preset("published", heads=6).resources().dsp == 768


def test_what_it_cannot_be() -> None:
    with pytest.raises(ContractError, match="head_engine: heads must be 1 to 1024, got 0"):
        HeadEngineContract(heads=0)
    with pytest.raises(ContractError, match="head_engine: out_lanes must be 1 to 64, got 65"):
        HeadEngineContract(out_lanes=65)


def test_a_memory_gives_a_word_a_cycle() -> None:
    memory = BufferMemoryContract.from_preset("published", words=4096, width_bits=72)
    assert [memory.cycles(words) for words in (0, 1, 100)] == [0, 2, 101]
    assert (memory.resources().uram, memory.resources().sram_bytes) == (1, 36_864)
    with pytest.raises(ContractError, match="buffer_memory: words must be 1 to"):
        BufferMemoryContract(words=0)
