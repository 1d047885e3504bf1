"""When each step leaves the last stage of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence


def pipeline_ends(durations: Sequence[Sequence[int]], prompt_steps: int) -> list[int]:
    """Tick in which each step leaves the last stage.

    A stage takes a step when the previous stage has finished this step and the stage itself has finished the previous
    step. Steps of a prompt follow each other through the stages. A step that generates begins when the previous step
    has left the last stage, since it needs that step's token.

    Parameters
    ----------
    durations : [stage][step] ticks, including transfers to the next stage
    prompt_steps : how many of the steps take in the prompt
    """
    free = [0] * len(durations)
    ends: list[int] = []
    for step in range(len(durations[0])):
        now = ends[-1] if ends and step >= prompt_steps else 0
        for stage, own in enumerate(durations):
            now = max(now, free[stage]) + own[step]
            free[stage] = now
        ends.append(now)
    return ends
