"""The instructions of GDDR6-AiM sweep and write exactly the columns in which the placement put their data."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.aim.isa import Instruction, decode
from hwsim.dram.aim.text import line_of
from hwsim.machines.aim.programs import AimWork, Program, placed
from hwsim.mapping.pim.rows import RowCache, RowMatrix
from hwsim.mapping.step import Step
from hwsim.pipeline import prepare
from tests.mapping.workloads import tiny

Place = tuple[int, ...]


def program_of(channels: int, spec: dict[str, Any] | None = None, **fields: Any) -> Program:
    program = prepare(tiny(**fields), "aim", {"channels": channels, **(spec or {})}).program
    assert isinstance(program, Program)
    return program


def work_of(program: Program, step: Step) -> dict[str, list[Instruction]]:
    return {w.name: list(decode(placed(w))) for w in program.pieces(step) if isinstance(w, AimWork)}


def channels_of(program: Program, instruction: Instruction) -> list[int]:
    """The first channel is the highest bit."""
    mask = f"{instruction.mask:0{program.spec.channels}b}"
    return [channel for channel, bit in enumerate(mask) if bit == "1"]


def swept(program: Program, instructions: list[Instruction]) -> Counter[Place]:
    """(channel, row) -> columns swept, with repetitions."""
    found: Counter[Place] = Counter()
    for i in instructions:
        if i.operation == "MAC_ABK":
            found.update({(channel, i.row): i.opsize for channel in channels_of(program, i)})
    return found


def columns(places: set[Place], times: int) -> Counter[Place]:
    """(channel, row) -> columns among places (channel, row, column), each `times`."""
    found = Counter(place[:2] for place in places)
    return Counter({place: count * times for place, count in found.items()})


def keys(cache: RowCache, sequence: int, tokens: range) -> list[Any]:
    """Addresses of keys, one of each column."""
    return [
        cache.k_address(sequence, token, head, element)
        for token in tokens
        for head in range(cache.kv_heads)
        for element in range(0, cache.d_k, cache.target.lanes)
    ]


def values(cache: RowCache, sequence: int, tokens: range) -> list[Any]:
    """Addresses of values, one of each column."""
    return [
        cache.v_address(sequence, token, head, element)
        for token in tokens
        if token % cache.target.lanes == 0 or token == tokens[0]
        for head in range(cache.kv_heads)
        for element in range(cache.d_v)
    ]


def weights(matrix: RowMatrix) -> set[Place]:
    columns = range(0, matrix.d_in, matrix.target.lanes)
    found = (matrix.address(output, element) for output in range(matrix.d_out) for element in columns)
    return {(a.channel, a.row, a.column) for a in found}


@given(
    channels=st.sampled_from([1, 2, 3, 5]),
    kv_heads=st.integers(1, 4),
    share=st.integers(1, 3),
    head_dim=st.sampled_from([8, 16, 24, 400, 520]),
    past=st.sampled_from([0, 1, 15, 40, 1023, 1030]),
    batch=st.integers(1, 2),
)
@settings(max_examples=25, deadline=None)
def test_attention_touches_what_the_cache_holds_and_nothing_else(
    channels: int, kv_heads: int, share: int, head_dim: int, past: int, batch: int
) -> None:
    program = program_of(
        channels, heads=kv_heads * share, kv_heads=kv_heads, head_dim=head_dim, past=past, tokens=1, batch=batch,
        family="llama", d_ff=16,
    )  # fmt: skip
    step = next(iter(program.steps()))
    work = work_of(program, step)
    cache = program.mapped.placement.caches["l0.kv"]
    everything, new = range(step.context), range(step.context - 1, step.context)
    for name, held in (("l0.attention.scores", keys), ("l0.attention", values)):
        wanted = {(a.channel, a.row, a.column) for s in range(batch) for a in held(cache, s, everything)}
        assert swept(program, work[name]) == columns(wanted, share), name

    # each column of the new keys is written once, by its bank; each row of the new values by one element per bank
    wanted_keys = {(a.channel, a.bank, a.row, a.column) for s in range(batch) for a in keys(cache, s, new)}
    written = Counter((channels_of(program, i)[0], i.bank, i.row) for i in work["l0.kv.k"])
    assert written == Counter(place[:3] for place in wanted_keys)
    wanted_values = {(a.channel, a.row) for s in range(batch) for a in values(cache, s, new)}
    assert Counter((c, i.row) for i in work["l0.kv.v"] for c in channels_of(program, i)) == Counter(wanted_values)


@given(
    channels=st.sampled_from([1, 3, 4]),
    d_model=st.sampled_from([40, 1024, 1100, 2050]),
    d_ff=st.sampled_from([16, 100, 1030]),
    batch=st.integers(1, 2),
)
@settings(max_examples=10, deadline=None)
def test_products_sweep_each_weight_once_a_vector(channels: int, d_model: int, d_ff: int, batch: int) -> None:
    program = program_of(channels, d_model=d_model, d_ff=d_ff, heads=1, head_dim=16, tokens=1, batch=batch)
    work = work_of(program, next(iter(program.steps())))
    for name, matrix in program.mapped.placement.matrices.items():
        assert swept(program, work[name]) == columns(weights(matrix), batch), name


def test_results_are_activated_when_all_chunks_are_in() -> None:
    """1,100 inputs are a chunk of 1,024 and one of 76; AF comes after the second."""
    program = program_of(1, d_model=1100, heads=2, head_dim=16, d_ff=16, tokens=1)
    assert [line_of(i) for i in work_of(program, Step(queries=1, context=1))["l0.ffn1"]] == [
        "W CFR 2 0",
        "AiM WR_GB 64 0 0x1",
        "AiM WR_BIAS 0 0x1",
        "AiM MAC_ABK 64 0x1 84",
        "AiM RD_MAC 0 0x1",
        "AiM WR_GB 5 0 0x1",
        "AiM WR_BIAS 0 0x1",
        "AiM MAC_ABK 5 0x1 85",
        "AiM AF 0x1",
        "AiM RD_AF 0 0x1",
    ]


def test_each_channels_buffer_gets_the_probabilities_of_its_head() -> None:
    """Two heads of 16 dimensions lie in one channel each; with 32 dimensions each head lies in both channels."""
    apart, together = (program_of(2, heads=2, head_dim=size, tokens=1) for size in (16, 32))
    buffers = [
        [line_of(i) for i in work_of(program, Step(queries=1, context=1))["l0.attention"] if i.operation == "WR_GB"]
        for program in (apart, together)
    ]
    assert buffers == [["AiM WR_GB 1 0 0x2", "AiM WR_GB 1 0 0x1"], ["AiM WR_GB 1 0 0x3"] * 2]
