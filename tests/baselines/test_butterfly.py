"""The Butterfly-like baseline: its tables to the digit, and between them what its public model does."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.baselines.butterfly import Butterfly, butterfly, dense_fit, with_power
from hwsim.data_file import read_data
from hwsim.errors import MachineError

TABLES = read_data("hwsim.baselines", "butterfly.yaml")
BUTTERFLY = butterfly()
CYCLE_S = 1 / (200e6 * 0.85)  # as its model takes it


def test_the_tables_come_out_to_the_digit() -> None:
    for tokens, ms in TABLES["fft"]["latency_ms"].items():
        assert BUTTERFLY.model_s(tokens, 0) * 1e3 == pytest.approx(ms, rel=1e-12)
    for tokens, ms in TABLES["dense"]["latency_ms"].items():
        assert BUTTERFLY.model_s(tokens, 12) * 1e3 == pytest.approx(ms, rel=1e-12)


def test_the_fft_table_is_its_public_models_cycles_a_batch() -> None:
    """So what lies between the table's rows, and the split of a layer into FFTs and FFN, is no guess."""
    cycles = BUTTERFLY.fft_cycles + BUTTERFLY.ffn_cycles
    for below, above in ((512, 1024), (1024, 2048), (2048, 4096), (4096, 8192), (8192, 16384)):
        batches = BUTTERFLY.batches(above) - BUTTERFLY.batches(below)
        grown = BUTTERFLY.fft_layer_s(above) - BUTTERFLY.fft_layer_s(below)
        assert grown == pytest.approx(batches * cycles * CYCLE_S, rel=5e-4)


def test_between_two_rows_a_layer_takes_steps_of_a_batch() -> None:
    assert [BUTTERFLY.batches(tokens) for tokens in (512, 600, 601, 720, 1024)] == [5, 5, 6, 6, 9]
    assert BUTTERFLY.fft_layer_s(600) == BUTTERFLY.fft_layer_s(512)
    assert BUTTERFLY.fft_layer_s(720) == BUTTERFLY.fft_layer_s(601)
    step = BUTTERFLY.fft_layer_s(601) - BUTTERFLY.fft_layer_s(600)
    assert step == pytest.approx((10.409 - 5.602) / 1e3 / 12 / 4)


def test_the_dense_table_is_a_parabola() -> None:
    fit = dense_fit(BUTTERFLY)
    for tokens, seconds in BUTTERFLY.dense_s.items():
        assert fit.at(tokens) == pytest.approx(seconds, rel=3e-5)
    # Its model: 12 heads take two turns of 8, a key takes 2 cycles a row: 4 cycles a pair.
    assert fit.quadratic == pytest.approx(4 * CYCLE_S, rel=1e-4)


@given(tokens=st.integers(512, 16384), layers=st.integers(0, 12))
def test_attention_is_a_part_of_the_whole(tokens: int, layers: int) -> None:
    assert 0 < BUTTERFLY.attention_s(tokens, layers) < BUTTERFLY.model_s(tokens, layers)


@given(tokens=st.integers(512, 16383), layers=st.integers(1, 12))
def test_more_tokens_and_more_softmax_layers_take_longer(tokens: int, layers: int) -> None:
    assert BUTTERFLY.model_s(tokens + 1, layers) > BUTTERFLY.model_s(tokens, layers)
    assert BUTTERFLY.model_s(tokens, layers) > BUTTERFLY.model_s(tokens, layers - 1)
    assert BUTTERFLY.attention_s(tokens, layers) > BUTTERFLY.attention_s(tokens, layers - 1)


def test_layers_add_up() -> None:
    parts = 10 * BUTTERFLY.fft_layer_s(4096) + 2 * BUTTERFLY.dense_layer_s(4096)
    assert BUTTERFLY.model_s(4096, 2) == pytest.approx(parts)
    assert BUTTERFLY.model_s(4096, 2) * 1e3 == pytest.approx(41.653 * 10 / 12 + 5971.9 * 2 / 12)


@pytest.mark.parametrize("tokens", [256, 511, 16385])
def test_outside_of_the_tables_there_is_no_time(tokens: int) -> None:
    text = f"^Butterfly: {tokens:,} tokens, but its tables go from 512 to 16,384$"
    for time in (BUTTERFLY.fft_layer_s, BUTTERFLY.fft_mixing_s, BUTTERFLY.dense_layer_s, BUTTERFLY.dense_attention_s):
        with pytest.raises(MachineError, match=text):
            time(tokens)


def test_more_softmax_layers_than_layers_are_refused() -> None:
    with pytest.raises(MachineError, match="Butterfly: expected 0 to 12 softmax layers, got 13"):
        BUTTERFLY.model_s(512, 13)


def test_a_power_of_the_users_own() -> None:
    own = with_power(BUTTERFLY, 11.355)
    assert (own.power_w, own.provenance["power_w"]["grade"]) == (11.355, "given")
    with pytest.raises(MachineError, match="Butterfly: its power must be above 0 W, got 0"):
        with_power(BUTTERFLY, 0)


def test_every_figure_has_a_source() -> None:
    conditions = {"layers", "width", "heads", "engines", "provenance"}
    named = {"fft_s": "fft.latency_ms", "dense_s": "dense.latency_ms", "multipliers": "dense.multipliers"}
    named |= {"fft_cycles": "fft.fft_cycles", "ffn_cycles": "fft.ffn_cycles", "power_w": "power_w"}
    assert set(named) | conditions == {field.name for field in fields(Butterfly)}
    assert set(named.values()) == set(BUTTERFLY.provenance)
    for entry in BUTTERFLY.provenance.values():
        assert entry["grade"] in {"S", "T", "R", "C", "M", "A"}
        assert entry["source"]
        assert ("confidence" in entry) == (entry["grade"] == "M")
