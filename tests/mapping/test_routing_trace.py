"""Traces of routing: counts or choices in a CSV file."""

from pathlib import Path

import pytest

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.workload.routing_trace import read_trace

COUNTS = """step,layer,expert,tokens
0,1,0,2
0,1,2,2
1,1,1,2
1,1,2,2
"""
CHOICES = """step,layer,token,expert
0,1,0,0
0,1,0,2
0,1,1,2
0,1,1,0
"""


def write(folder: Path, text: str) -> str:
    file = folder / "t.csv"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("text", [COUNTS, CHOICES])
def test_counts_and_choices_give_queue_lengths(tmp_path: Path, text: str) -> None:
    trace = read_trace(write(tmp_path, text))
    assert trace.queue_lengths(number=0, layer=1, tokens=2, experts=4, top_k=2) == (2, 0, 2, 0)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    read_trace(write(tmp_path, COUNTS))
    changed = read_trace(write(tmp_path, COUNTS + "2,1,3,1\n"))
    assert changed.queue_lengths(number=2, layer=1, tokens=1, experts=4, top_k=1) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"number": 2}, "t.csv: has nothing about step 2, layer 1"),
        ({"layer": 3}, "t.csv: has nothing about step 0, layer 3"),
        ({"tokens": 3}, "t.csv: step 0, layer 1: 4 tokens in all queues, expected 3 x 2"),
        ({"tokens": 1, "top_k": 4}, "t.csv: step 0, layer 1: expert 0 gets 2 tokens of 1"),
    ],
)
def test_what_a_trace_does_not_have(tmp_path: Path, asked: dict[str, int], message: str) -> None:
    trace = read_trace(write(tmp_path, COUNTS))
    with pytest.raises(WorkloadError, match=message):
        trace.queue_lengths(**{"number": 0, "layer": 1, "tokens": 2, "experts": 4, "top_k": 2, **asked})


def test_an_expert_beyond_the_models(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"t.csv: has an expert 2, the model 2, counted from 0"):
        read_trace(write(tmp_path, COUNTS)).check(2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv:1: heading '', expected step,layer,expert,tokens or step,layer,token,expert"),
        ("step,expert\n", "t.csv:1: heading 'step,expert', expected"),
        (COUNTS + "1,1,2\n", "t.csv:6: expected four whole numbers, got '1,1,2'"),
        (COUNTS + "1,1,-2,3\n", "t.csv:6: expected four whole numbers, got '1,1,-2,3'"),
        (COUNTS + "1,1,1.5,3\n", "t.csv:6: expected four whole numbers"),
        (COUNTS + "1,1,2,7\n", "t.csv:6: given twice: 1,1,2,7"),
        (CHOICES + "0,1,1,2\n", "t.csv:6: given twice: 0,1,1,2"),
    ],
)
def test_a_file_that_is_no_trace_says_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_trace(write(tmp_path, text))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no.csv: cannot be read as a routing trace: No such file"):
        read_trace(str(tmp_path / "no.csv"))
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"b.csv: cannot be read as a routing trace: 'utf-8' codec"):
        read_trace(str(tmp_path / "b.csv"))
    with pytest.raises(ValueError, match="cannot be read as a routing trace: Is a directory"):
        read_trace(str(tmp_path))
