"""Every block against its golden model and its contract, in simulation."""

from __future__ import annotations

import pytest

from rtl.blocks import BLOCKS
from tests.rtl.simulation import build, lint, run_bench


@pytest.mark.parametrize(
    ("name", "index"),
    [
        pytest.param(name, i, marks=[pytest.mark.slow] if i > 1 else [])
        for name, block in BLOCKS.items()
        for i in range(len(block.cases.SETS))
    ],
)
def test_rtl_equals_golden_model_and_contract(name: str, index: int) -> None:
    contract = BLOCKS[name].sets()[index]
    assert run_bench(build(contract), contract, "bench") == ""


@pytest.mark.parametrize("name", BLOCKS)
def test_raw_verilog_is_clean(name: str, tmp_path) -> None:
    assert lint(BLOCKS[name].sets()[0], tmp_path) == ""
