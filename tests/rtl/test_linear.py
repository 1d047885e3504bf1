"""The unified linear unit: golden model against a slow loop, timing in round numbers, the hazard, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwsim.mapping.formats import Fixed
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import ContractError
from hwsim.rtl.gelu_delta.golden import gelu
from hwsim.rtl.linear.command import Command
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.linear.golden import run
from tests.rtl.simulation import SEED, build, run_bench

PUBLISHED, RTL = LinearContract.from_preset("published"), LinearContract.from_preset("rtl")


def slow_linear(c: LinearContract, streams: Any) -> list[tuple[int, int, list[int]]]:
    """(token, tile, values) of each beat of `y`, number by number, from the definition."""
    queue = {name: iter(next(iter(beats.values())).tolist()) for name, beats in streams.items() if name != "command"}
    beats = []
    for tokens, ins, outs, use_gelu, use_expert, use_score in zip(*(v.tolist() for v in streams["command"].values())):
        rows = [next(queue["w"]) for _ in range(ins * outs * c.out_lanes)]
        biases = [next(queue["bias"]) for _ in range(outs)]
        for number in range(tokens):
            token = next(queue["index"]) if use_expert else number
            x = [value for _ in range(ins) for value in next(queue["x"])]
            score = next(queue["score"]) if use_score else None
            for tile in range(outs):
                values = [
                    _sum(c, x, rows[tile * ins * c.out_lanes + lane :: c.out_lanes][:ins], biases[tile][lane])
                    for lane in range(c.out_lanes)
                ]
                if use_gelu:
                    values = gelu(c.gelu, np.array(values)).tolist()
                if score is not None:
                    scale = 2.0**-c.score.fraction
                    places = zip(next(queue["dst"]), values)
                    values = [_wrap(there + _floor(score * y, scale), c.accumulator) for there, y in places]
                beats.append((token, tile, values))
    return beats


def _sum(c: LinearContract, x: list[int], rows: list[list[int]], bias: int) -> int:
    weights = [weight for row in rows for weight in row]
    unit = 2.0 ** (c.accumulator.fraction - c.activation.fraction - c.weight.fraction)
    total = _floor(bias, 2.0 ** (c.accumulator.fraction - c.bias.fraction))
    return _wrap(total + sum(_floor(a * w, unit) for a, w in zip(x, weights, strict=True)), c.accumulator)


def _floor(code: int, unit: float) -> int:
    """`code * unit`, a power of two, floored; exact."""
    numerator, denominator = unit.as_integer_ratio()
    return code * numerator // denominator


def _wrap(code: int, fmt: Fixed) -> int:
    half = 1 << (fmt.width - 1)
    return (code + half) % (2 * half) - half


@pytest.mark.parametrize("index", range(5))
def test_golden_model_equals_a_loop_over_numbers(index: int) -> None:
    block, rng = BLOCKS["linear"], np.random.default_rng(SEED)
    c = block.sets()[index]
    for job in [*block.cases.corner_jobs(c), *(block.cases.random_job(c, rng) for _ in range(10))]:
        y = run(c, job.inputs)["y"]
        beats = list(zip(y["token"].tolist(), y["tile"].tolist(), y["values"].tolist()))
        assert beats == slow_linear(c, job.inputs), job.name


@pytest.mark.parametrize("index", [0, 1])
def test_an_expert_with_all_tokens_and_one_with_none_end(index: int) -> None:
    contract = BLOCKS["linear"].sets()[index]
    assert run_bench(build(contract), contract, "bench_expert_queues") == ""


def test_a_layer_of_129_tokens_takes_a_tile_a_cycle() -> None:
    """192 x 192 by tiles of 16 x 16: 144 cycles a token, 2,304 of loading before, the unit's latency after."""
    layers = [Command(tokens=n, in_tiles=12, out_tiles=12) for n in (0, 1, 129)]
    assert [[c.cycles([layer]) for layer in layers] for c in (PUBLISHED, RTL)] == [
        [0, 2468, 20900],
        [0, 2457, 20889],
    ]
    assert 16 * 144 + 129 * 144 == 20880


def test_the_second_matrix_is_loaded_under_the_first() -> None:
    first = Command(tokens=32, in_tiles=12, out_tiles=24, use_gelu=True, use_expert=True)
    second = Command(tokens=32, in_tiles=24, out_tiles=12, use_expert=True, use_score=True)
    alone, both = RTL.cycles([first]), RTL.cycles([first, second])
    assert both - alone == 32 * 288 + 4 + 1 + RTL.tile.latency + 1 + RTL.write_stages + RTL.score_stages


def test_published_depths_are_parameters_alone() -> None:
    """Edge-MoE's loops of depth 16 (compute), 5 (write) and 6 more with GELU; each loop has one edge fewer."""
    load = 16 + 1
    plain, with_gelu = (
        PUBLISHED.cycles([Command(tokens=1, in_tiles=1, out_tiles=1, use_gelu=use)]) for use in (False, True)
    )
    hop = 1  # out FIFO
    assert (plain - load, with_gelu - plain) == ((16 - 1) + hop + (5 - 1), 6)


def test_gathered_results_leave_as_deep_with_a_score_as_without() -> None:
    """Edge-MoE's indirect loops of depth 79 (read) and 148 (write), which hold one and two memory latencies of 64."""
    one = {"tokens": 1, "in_tiles": 1, "out_tiles": 1}
    commands = [Command(**one), Command(**one, use_expert=True), Command(**one, use_expert=True, use_score=True)]
    deep, beside = ([c.cycles([command]) for command in commands] for c in (PUBLISHED, PUBLISHED.beside_memory()))
    assert deep[1] == deep[2]
    assert [a - b for a, b in zip(deep, beside)] == [0, 3 * 64, 3 * 64]


def test_tiny_tokens_wait_for_the_index_fifo() -> None:
    """A token of one tile: at most 8 tokens are between reader and writer, a latency of 12 cycles."""
    tokens = [Command(tokens=n, in_tiles=1, out_tiles=1) for n in (1, 8, 9, 16, 17)]
    cycles = [RTL.cycles([command]) for command in tokens]
    assert [n - cycles[0] for n in cycles] == [0, 7, 12, 19, 24]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"in_lanes": 65}, "linear: in_lanes must be 1 to 64, got 65"),
        ({"weight_words": 40}, "linear: weight_words must be 48 to 65536, got 40"),
        ({"out_fifo": 1}, "linear: out_fifo must be 2 to 64, got 1"),
        ({"gelu_output_stages": 20}, "linear: gelu_output_stages must be 0 to 16, got 20"),
        (
            {"accumulator": Fixed(width=32, integer=30)},
            "linear: steps of 2^-5 need 5 fraction bits, fixed(32,30) has fewer",
        ),
        ({"score_stages": 1}, "linear: score_stages must be 2 to 256, got 1"),
        ({"score": Fixed(width=40, integer=10)}, "linear: score * y may have 64 bits, 72 asked for"),
    ],
)
def test_a_wrong_parameter_is_one_line(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        LinearContract.from_preset("rtl", **parameters)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ((130, 1, 1), "linear: a command's tokens must be 0 to 129, got 130"),
        ((1, 0, 1), "linear: a command's in_tiles must be 1 to 48, got 0"),
        ((1, 48, 48), "linear: a bank holds 576 tiles of weights, not 48 x 48 tiles"),
    ],
)
def test_a_command_that_does_not_fit_is_one_line(command: tuple[int, int, int], message: str) -> None:
    tokens, ins, outs = command
    with pytest.raises(ContractError) as caught:
        RTL.cycles([Command(tokens=tokens, in_tiles=ins, out_tiles=outs)])
    assert str(caught.value) == message
