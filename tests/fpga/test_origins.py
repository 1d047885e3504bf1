"""Origins of counts: a word in the row of a table, all of it below."""

from hwsim.fpga.origins import origin_notes, origin_words

ESTIMATE = "estimate of the contract; no synthesis of these parameters is kept"


def test_a_word_stands_for_each_origin_and_the_note_has_all_of_it() -> None:
    origins = ["synthesis (yosys 0.70)", ESTIMATE, ESTIMATE]
    assert origin_words(origins) == {"synthesis (yosys 0.70)": "synthesis", ESTIMATE: "estimate"}
    assert list(origin_notes(origins)) == ["from synthesis (yosys 0.70)", f"from {ESTIMATE}"]


def test_origins_that_begin_alike_are_numbered() -> None:
    origins = ["synthesis (yosys 0.70)", "synthesis (yosys 0.71)"]
    assert list(origin_words(origins).values()) == ["synthesis 1", "synthesis 2"]
    assert list(origin_notes(origins)) == [
        "synthesis 1: from synthesis (yosys 0.70)",
        "synthesis 2: from synthesis (yosys 0.71)",
    ]
