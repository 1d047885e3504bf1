"""When each step leaves the last stage of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence


def pipeline_ends(durations: Sequence[Sequence[int]], prompt_steps: int) -> list[int]:
    """Tick in which each step leaves the last stage.

    A stage takes a step when the stage before has done with it and it has done with the step before. Steps of a
    prompt follow each other through the stages; a step that generates begins when the one before has left the last
    stage, since it needs its token.

    Parameters
    ----------
    durations : [stage][step] ticks, transfers to the next stage in them
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
