"""A task on ideal ports takes the cycles of its unit's contract, whatever the sizes and whichever preset."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.fabric.tasks.attention import scores_task, values_task
from hwsim.fabric.tasks.gate import gate_task
from hwsim.fabric.tasks.linear import linear_task
from hwsim.fabric.tasks.loads import gate_weights_task, norms_task, patch_weights_task, weights_task
from hwsim.fabric.tasks.patches import patches_task
from hwsim.fabric.tasks.softmax_passes import softmax_pass_task
from hwsim.fabric.tasks.vectors import add_task, fill_task, norm_task
from hwsim.fabric.tasks.walk import Walk
from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.linear.command import Command
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.patch_embed.command import Command as PatchCommand
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.plain.linear import LinearExactContract
from hwsim.rtl.plain.mv import MvBlocksContract, MvWeightsBlocksContract, MvWeightsContract
from hwsim.rtl.plain.qk import QkBlocksContract
from hwsim.rtl.plain.softmax import (
    PASSES,
    OnlineSoftmaxBlocksContract,
    Pass,
    SoftmaxPassesBlocksContract,
    SoftmaxPassesContract,
)
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.residual_add.contract import ResidualAddContract
from hwsim.rtl.skew import row_count
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.weight_loader.contract import Group, WeightLoaderContract
from tests.fabric.ideal_player import play

PRESETS = st.sampled_from(["published", "rtl"])
some = settings(max_examples=40, deadline=None)


def walk(beats: int) -> Walk:
    return Walk(port="p", chunks=(0,), beats=beats, burst=16)


@some
@given(
    preset=PRESETS, memory=st.booleans(), tokens=st.integers(1, 30), in_tiles=st.integers(1, 6),
    out_tiles=st.integers(1, 6), flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    index_fifo=st.sampled_from([4, 8]), in_lanes=st.sampled_from([4, 8, 16]), out_lanes=st.sampled_from([4, 8, 16]),
)  # fmt: skip
def test_linear(
    preset: str, memory: bool, tokens: int, in_tiles: int, out_tiles: int, flags: tuple[bool, bool, bool],
    index_fifo: int, in_lanes: int, out_lanes: int,
) -> None:  # fmt: skip
    c = LinearContract.from_preset(preset, index_fifo=index_fifo, in_lanes=in_lanes, out_lanes=out_lanes)
    c = c if memory else c.beside_memory()
    in_tiles, out_tiles = in_tiles * max(1, 8 // in_lanes), out_tiles * max(1, 8 // out_lanes)  # whole beats
    gelu, expert, score = flags
    command = Command(
        tokens=tokens, in_tiles=in_tiles, out_tiles=out_tiles, use_gelu=gelu, use_expert=expert, use_score=score
    )
    x, y = walk(tokens * in_tiles * in_lanes // 8), walk(tokens * out_tiles * out_lanes // 8)
    task = linear_task(c, command, name="linear", x=x, y=y, dst=y if score else None, beat_bits=256)
    played = play(task)
    assert played.cycles == c.compute_cycles(command)
    assert max(played.put["y"]) + 1 == played.cycles


@some
@given(preset=PRESETS, commands=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=3))
def test_commands_of_the_linear_unit_follow_each_other_without_a_gap(
    preset: str, commands: list[tuple[int, int]]
) -> None:
    """Once weights load under the computation, each further command adds what it takes by itself."""
    c = LinearContract.from_preset(preset)
    work = [Command(tokens=60, in_tiles=i, out_tiles=o) for i, o in commands]
    later = Command(tokens=60, in_tiles=3, out_tiles=2)
    assert c.cycles([*work, later]) - c.cycles(work) == c.compute_cycles(later)


@some
@given(preset=PRESETS, tokens=st.integers(1, 20), features=st.sampled_from([8, 16, 64, 192]))
def test_layer_norm(preset: str, tokens: int, features: int) -> None:
    c = LayerNormContract.from_preset(preset, features=features)
    beats = walk(tokens * c.beats)
    assert play(norm_task(c, tokens, name="norm", x=beats, y=beats)).cycles == c.cycles(tokens)


@some
@given(preset=PRESETS, memory=st.booleans(), beats=st.integers(1, 200))
def test_residual_add_and_fill(preset: str, memory: bool, beats: int) -> None:
    add, fill = ResidualAddContract.from_preset(preset), FillContract.from_preset(preset)
    add = add if memory else add.beside_memory()
    to = walk(beats)
    assert play(add_task(add, beats, name="add", x=to, branch=to, y=to)).cycles == add.cycles(beats)
    assert play(fill_task(fill, beats, name="fill", y=to)).cycles == fill.cycles([beats])


@some
@given(
    preset=PRESETS, in_tiles=st.integers(1, 6), out_tiles=st.integers(1, 6), bias=st.booleans(),
    lanes=st.sampled_from([8, 16]),
)  # fmt: skip
def test_loads_of_weights(preset: str, in_tiles: int, out_tiles: int, bias: bool, lanes: int) -> None:
    c = WeightLoaderContract.from_preset(preset, in_lanes=16, out_lanes=lanes)
    group = Group(in_tiles=in_tiles, out_tiles=out_tiles, reads=1)
    weights, biases = group.words * c.word_beats, out_tiles * c.bias_beats
    task = weights_task(
        c, group, name="load", unit="loader", weights=walk(weights), bias=walk(biases) if bias else None
    )
    assert play(task).cycles == c.load_cycles(group) - (0 if bias else biases)
    # a word can be read in the cycle after it is stored; it comes out as the read passes the registers behind the bank
    assert c.cycles([group]) == c.load_cycles(group) + group.reads + 1 + c.read_stages


@some
@given(preset=PRESETS, norms=st.integers(1, 2), memory=st.booleans(), features=st.sampled_from([32, 192]))
def test_loads_of_norms(preset: str, norms: int, memory: bool, features: int) -> None:
    c = NormLoaderContract.from_preset(preset, features=features)
    c = c if memory else c.beside_memory()
    vectors = [(which, walk(features // 16)) for _ in range(norms) for which in ("weight", "bias")]
    calls = [[vector] for vector in vectors] if c.pause else [vectors]
    cycles = [
        play(norms_task(c, call, name="n", first=i == 0, last=i == len(calls) - 1)).cycles
        for i, call in enumerate(calls)
    ]
    assert sum(cycles) == c.cycles([norms])


def skewed(preset: str, slots: int, heads: int, head_dim: int) -> tuple[QkReorderContract, OnlineSoftmaxContract]:
    qk = QkReorderContract.from_preset(preset, slots=slots, heads=heads, head_dim=head_dim)
    return qk, OnlineSoftmaxContract.from_preset(preset, slots=slots, heads=heads)


SKEW = {
    "preset": PRESETS,
    "tokens": st.integers(1, 13),
    "slots": st.sampled_from([1, 2, 3, 4, 8, 16]),
    "heads": st.integers(1, 4),
    "head_dim": st.sampled_from([16, 32, 64]),
}


@some
@given(**SKEW)
def test_scores_and_softmax(preset: str, tokens: int, slots: int, heads: int, head_dim: int) -> None:
    qk, softmax = skewed(preset, slots, heads, head_dim)
    rows = qk.rows(tokens)
    task = scores_task(
        qk, softmax, tokens, name="qk", q=walk(tokens * qk.token_beats), k=walk(rows * qk.token_beats),
        scores=walk(rows * 2), info=walk(tokens), row_beats=2, info_beats=1, stream_depth=2,
    )  # fmt: skip
    unhindered = play(task, ideal=("scores",))
    assert max(unhindered.put["raw"]) + 1 == qk.cycles(tokens)
    assert max(unhindered.put["info"]) + 1 == softmax.cycles(tokens)
    if qk.head_beats >= softmax.initiation_interval and qk.token_beats >= softmax.row_interval:
        # the softmax keeps up, and ends as much later as its last head comes later
        assert play(task).cycles == qk.cycles(tokens) + 1 + softmax.latency


@some
@given(**SKEW)
def test_values(preset: str, tokens: int, slots: int, heads: int, head_dim: int) -> None:
    units = -(-slots // (head_dim // 8))
    c = MvContract.from_preset(preset, slots=slots, heads=heads, head_dim=head_dim, exp_units=units)
    rows = row_count(tokens, slots)
    task = values_task(
        c, tokens, name="mv", v=walk(rows * c.token_beats), scores=walk(rows * 2), info=walk(tokens),
        y=walk(tokens * c.token_beats), row_beats=2, info_beats=1,
    )  # fmt: skip
    assert play(task).cycles == c.cycles(tokens)


@some
@given(preset=PRESETS, tokens=st.integers(1, 12), experts=st.integers(2, 8), inputs=st.sampled_from([8, 64, 192]))
def test_the_gate(preset: str, tokens: int, experts: int, inputs: int) -> None:
    c = TopkGateContract.from_preset(preset, experts=experts, inputs=inputs)
    task = gate_task(c, tokens, name="gate", x=walk(tokens * c.tiles))
    assert play(task).cycles == c.choice_cycles(load=False, tokens=tokens)
    load = gate_weights_task(c, name="load", weights=walk(experts * c.tiles))
    assert play(load).cycles == c.command_cycles(load=True, tokens=0)


def test_the_published_gate_takes_184_cycles_a_token_and_ours_48() -> None:
    found = {}
    for preset in ("published", "rtl"):
        c = TopkGateContract.from_preset(preset)
        played = play(gate_task(c, 5, name="gate", x=walk(5 * c.tiles)))
        firsts = played.begun["softmax"]
        found[preset] = {later - earlier for earlier, later in pairwise(firsts)}
    assert found == {"published": {184}, "rtl": {48}}


@some
@given(
    preset=PRESETS, stripes=st.integers(1, 3), columns=st.integers(1, 3), class_token=st.booleans(),
    features=st.sampled_from([16, 32]), channels=st.integers(1, 2),
)  # fmt: skip
def test_patches(preset: str, stripes: int, columns: int, class_token: bool, features: int, channels: int) -> None:
    c = PatchEmbedContract.from_preset(
        preset, channels=channels, patch=16, stripe_patches=2 * columns, features=features
    )
    command = PatchCommand(stripes=stripes, class_token=class_token)
    beats = (class_token + stripes * c.stripe_patches) * c.token_beats
    task = patches_task(
        c, command, name="patches", pixels=walk(stripes * c.stripe_beats), positions=walk(beats), y=walk(beats),
    )  # fmt: skip
    assert play(task).cycles == c.cycles([command])


def test_a_class_token_and_patch_weights_by_themselves() -> None:
    for preset, cycles in (("published", 48), ("rtl", 26)):
        c = PatchEmbedContract.from_preset(preset)
        command = PatchCommand(stripes=0, class_token=True)
        row = walk(c.token_beats)
        task = patches_task(c, command, name="class", pixels=None, positions=row, y=row)
        assert play(task).cycles == c.cycles([command]) == cycles
        load = patch_weights_task(c, name="load", weights=walk(c.weight_beats), bias=walk(c.out_tiles))
        assert play(load).cycles == 1 + c.weight_beats == 9217


def test_beats_of_patch_weights_are_rows_of_a_tile_or_parts_of_one() -> None:
    """Beats of 16 weights: two rows of 8 inputs, or half a row of 32; the unit takes a row a cycle."""
    for lanes in (8, 32):
        c = PatchEmbedContract.from_preset("rtl", in_lanes=lanes, patch=32 if lanes == 32 else 16)
        load = patch_weights_task(c, name="load", weights=walk(c.weight_beats * lanes // 16), bias=None)
        assert play(load).cycles == 1 + c.weight_beats


@some
@given(**SKEW)
def test_scores_without_reordering(preset: str, tokens: int, slots: int, heads: int, head_dim: int) -> None:
    """All queries of a pass come with its first key, and those of the last pass are filled up."""
    qk = QkBlocksContract.from_preset(preset, slots=slots, heads=heads, head_dim=head_dim)
    softmax = OnlineSoftmaxBlocksContract.from_preset(preset, slots=slots, heads=heads)
    rows, queries = qk.rows(tokens), qk.blocks(tokens) * slots
    task = scores_task(
        qk, softmax, tokens, name="qk", q=walk(queries * qk.token_beats), k=walk(rows * qk.token_beats),
        scores=walk(rows * 2), info=walk(queries), row_beats=2, info_beats=1, stream_depth=2,
    )  # fmt: skip
    unhindered = play(task, ideal=("scores",))
    assert max(unhindered.put["raw"]) + 1 == qk.cycles(tokens)
    assert max(unhindered.put["info"]) + 1 == softmax.cycles(tokens)


@some
@given(**SKEW, single_pass=st.booleans(), reordered=st.booleans())
def test_values_of_every_design(
    preset: str, tokens: int, slots: int, heads: int, head_dim: int, single_pass: bool, reordered: bool
) -> None:
    kinds = {
        (True, True): MvContract, (True, False): MvBlocksContract, (False, True): MvWeightsContract,
        (False, False): MvWeightsBlocksContract,
    }  # fmt: skip
    units = -(-slots // (head_dim // 8))
    kind = kinds[single_pass, reordered]
    c = kind.from_preset(preset, slots=slots, heads=heads, head_dim=head_dim, exp_units=units)
    rows, queries = c.rows(tokens), tokens if reordered else -(-tokens // slots) * slots
    task = values_task(
        c, tokens, name="mv", v=walk(rows * c.token_beats), scores=walk(rows * 2),
        info=walk(queries) if single_pass else None, y=walk(queries * c.token_beats), row_beats=2, info_beats=1,
    )  # fmt: skip
    assert play(task).cycles == c.cycles(tokens)


@some
@given(
    preset=PRESETS, tokens=st.integers(1, 13), slots=st.sampled_from([1, 2, 3, 4, 8]), heads=st.integers(1, 4),
    reordered=st.booleans(), which=st.sampled_from(PASSES),
)  # fmt: skip
def test_passes_over_scores(preset: str, tokens: int, slots: int, heads: int, reordered: bool, which: Pass) -> None:
    kind = SoftmaxPassesContract if reordered else SoftmaxPassesBlocksContract
    c = kind.from_preset(preset, slots=slots, heads=heads)
    queries = tokens if reordered else -(-tokens // slots) * slots
    task = softmax_pass_task(
        c, which, tokens, name="softmax", scores=walk(c.rows(tokens) * 2), info=walk(queries), row_beats=2,
        info_beats=1,
    )  # fmt: skip
    assert play(task).cycles == c.pass_cycles(which, tokens)


@some
@given(preset=PRESETS, tokens=st.integers(1, 10), in_tiles=st.integers(1, 4), out_tiles=st.integers(1, 4))
def test_an_exact_gelu_makes_the_linear_unit_deeper(preset: str, tokens: int, in_tiles: int, out_tiles: int) -> None:
    c = LinearExactContract.from_preset(preset)
    command = Command(tokens=tokens, in_tiles=in_tiles, out_tiles=out_tiles, use_gelu=True)
    x, y = walk(tokens * in_tiles * 2), walk(tokens * out_tiles * 2)
    assert play(linear_task(c, command, name="l", x=x, y=y, beat_bits=256)).cycles == (c.compute_cycles(command))
    approximate = LinearContract.from_preset(preset)
    assert c.compute_edges(command) - approximate.compute_edges(command) == c.gelu.latency - approximate.gelu.latency
