"""Counts the beats of a token that comes head by head."""

from __future__ import annotations

from types import SimpleNamespace

from amaranth import Module, Mux, Signal, Value


def count_beats(m: Module, step: Value, heads: int, head_beats: int) -> SimpleNamespace:
    """The position of the present beat; each `step` moves to the next.

    Returns
    -------
    `beat` in the token, `head`, and whether it is the `first_of_head`, `last_of_head`, `last_of_token`
    """
    beats = heads * head_beats
    beat, part, head = (
        Signal(range(max(limit, 2)), name=name)
        for name, limit in (("beat", beats), ("part", head_beats), ("head", heads))
    )
    last_of_head, last_of_token = part == head_beats - 1, beat == beats - 1
    with m.If(step):
        m.d.sync += [
            beat.eq(Mux(last_of_token, 0, beat + 1)),
            part.eq(Mux(last_of_head, 0, part + 1)),
        ]
        with m.If(last_of_head):
            m.d.sync += head.eq(Mux(last_of_token, 0, head + 1))
    return SimpleNamespace(
        beat=beat, head=head, first_of_head=part == 0, last_of_head=last_of_head, last_of_token=last_of_token
    )
