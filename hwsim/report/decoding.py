"""What every machine that decodes reports of its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hwsim.mapping.step import Step
from hwsim.mapping.workload.run import DecoderRun
from hwsim.report.run_time import RunTime
from hwsim.report.schema import DecodingUse, Excluded, Throughput
from hwsim.report.steps import token_latencies


def decoding_use(
    run: DecoderRun,
    steps: Iterable[Step],
    ends: Sequence[int],
    ticks_per_second: int,
    *,
    lm_head: str,
    longest_context: int | None,
) -> DecodingUse:
    """The times of a run's tokens.

    Parameters
    ----------
    steps : the passes over the layers, in order
    ends : tick in which each of them ended
    lm_head : where the vocabulary projection runs in runs that include it
    """
    decodes = run.phase == "decode"
    passes = list(steps)
    prompt_steps = sum(step.context <= run.prompt_end for step in passes) if decodes else 0
    prompt_end = ends[prompt_steps - 1] if prompt_steps else 0
    return DecodingUse(
        phase=run.phase,
        tokens=run.tokens if decodes else run.prompt,
        past=run.past,
        prompt=run.prompt,
        batch=run.batch,
        lm_head=lm_head if run.lm_head == "included" else "excluded",
        tokens_per_s=run.produced / ((ends[-1] - prompt_end) / ticks_per_second),
        time_to_first_token_s=ends[prompt_steps if decodes else -1] / ticks_per_second,
        token_latencies=token_latencies(passes, ends, prompt_steps, ticks_per_second),
        longest_context=longest_context,
    )


def decoding_throughput(run: DecoderRun, decoding: DecodingUse) -> Throughput:
    """Tokens a second."""
    return Throughput(value=decoding.tokens_per_s, unit=run.unit, count=run.produced)


def left_out_projection(time: RunTime, produced: int, *, ticks: int, where: str) -> list[Excluded]:
    """The vocabulary projection that a run left out, and what it would cost a token.

    Parameters
    ----------
    produced : tokens that came out of the run
    ticks : of one projection, all else idle
    where : it would run, in words
    """
    seconds = time.seconds(ticks)
    return [
        Excluded(
            name="lm_head",
            seconds_per_unit=seconds,
            share=seconds / (time.seconds(time.ticks) / max(produced, 1)),
            note=f"embedding, final norm, vocabulary projection on {where} and argmax, without refresh; include with "
            "--set workload.lm_head=included",
        )
    ]
