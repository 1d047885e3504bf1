"""What attention fetches and how long it takes, for the paper's parallelism p, with and without reordering.

All counts are in steps of one key, 24 cycles at the published sizes, on ideal ports.
"""

import pytest

from hwsim.fabric.task import Loop
from hwsim.fabric.tasks.attention import scores_loop, scores_task
from hwsim.fabric.tasks.walk import Walk
from hwsim.rtl.plain.qk import QkBlocksContract
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from tests.fabric.ideal_player import play

PARALLELISM = (1, 2, 4, 8, 16)
TOKENS = (128, 129, 130, 131)
Contract = type[QkReorderContract]


def loop_of(kind: Contract, p: int, tokens: int) -> tuple[Loop, int]:
    """The loop of scores, and beats of a step."""
    c = kind.from_preset("published", slots=p)
    return scores_loop(c, tokens, row_beats=1), c.token_beats


def fetched(loop: Loop, fifo: str, step: int, beats: int) -> int:
    """Beats that a step takes out of a FIFO."""
    take = next(take for take in loop.takes if take.fifo == fifo)
    return take.amount * (take.when.count((step + 1) * beats) - take.when.count(step * beats))


def most_a_step(loop: Loop, fifo: str, beats: int) -> int:
    """Tokens of the step that fetches most of them."""
    return max(fetched(loop, fifo, step, beats) for step in range(loop.trips // beats)) // beats


def loads_and_steps(loop: Loop, beats: int) -> tuple[int, int]:
    """Tokens that are fetched, queries and keys, and steps."""
    counts = [take.amount * take.when.count(loop.trips) // beats for take in loop.takes]
    return sum(counts), loop.trips // beats


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("p", PARALLELISM)
def test_with_reordering_a_step_fetches_one_query_and_one_key_at_most(p: int, tokens: int) -> None:
    loop, beats = loop_of(QkReorderContract, p, tokens)
    assert (most_a_step(loop, "q", beats), most_a_step(loop, "k", beats)) == (1, 1)


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("p", PARALLELISM)
def test_without_it_a_step_fetches_as_many_queries_as_there_are_slots(p: int, tokens: int) -> None:
    loop, beats = loop_of(QkBlocksContract, p, tokens)
    assert (most_a_step(loop, "q", beats), most_a_step(loop, "k", beats)) == (p, 1)


@pytest.mark.parametrize("p", PARALLELISM)
def test_loads_and_steps_are_the_papers_where_p_divides_the_tokens(p: int) -> None:
    n = 128
    with_reordering, without = (loads_and_steps(*loop_of(kind, p, n)) for kind in (QkReorderContract, QkBlocksContract))
    assert with_reordering == (n * n // p + n + p - 1, n * n // p + p - 1)
    assert without == (n * n // p + n, n * n // p)


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("p", PARALLELISM)
def test_steps_are_the_sources_rows_otherwise(p: int, tokens: int) -> None:
    rows = (tokens + p - 1) // p * tokens + (tokens + p - 1) % p
    assert loads_and_steps(*loop_of(QkReorderContract, p, tokens)) == (rows + tokens, rows)
    blocks = -(-tokens // p)
    assert loads_and_steps(*loop_of(QkBlocksContract, p, tokens)) == (blocks * (tokens + p), blocks * tokens)


def test_the_published_design() -> None:
    assert loads_and_steps(*loop_of(QkReorderContract, 4, 129)) == (4257 + 129, 4257)


@pytest.mark.parametrize(("kind", "rows"), [(QkReorderContract, 25), (QkBlocksContract, 24)])
def test_on_ideal_ports_no_step_is_delayed(kind: Contract, rows: int) -> None:
    """Played rather than counted: eight tokens in three slots make three passes, and rows of the last that go on."""
    c = kind.from_preset("published", slots=3, heads=1, head_dim=8)
    tokens = 8
    queries = 8 if c.reordered else 9
    q, k, scores = (Walk(port="p", chunks=(0,), beats=beats, burst=1) for beats in (queries, rows, rows))
    task = scores_task(
        c, None, tokens, name="qk", q=q, k=k, scores=scores, info=None, row_beats=1, info_beats=1, stream_depth=2,
    )  # fmt: skip
    assert play(task).begun["scores"] == list(range(1, rows + 1))
