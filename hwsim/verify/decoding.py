"""A decoding machine against the float64 model: one step after a prompt, then greedy generation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from hwsim.mapping.formats import Format
from hwsim.mapping.models.decoder import DecoderWorkload, decoder_of
from hwsim.parameters.spec_file import SpecFile
from hwsim.rtl.contract import Contract
from hwsim.verify.decoder import Decoder, DecoderStep
from hwsim.verify.float64_gpt import Float64Gpt
from hwsim.verify.float64_llama import Float64Llama
from hwsim.verify.report import FunctionError, Generation, LayerError, VerifiedSize, VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.statistics import layer_error
from hwsim.verify.unconfirmed import unconfirmed_parameters
from hwsim.verify.weights import GptWeights
from hwsim.version import VERSION

SpecT = TypeVar("SpecT", bound=BaseModel)

PROMPT_SEED = 0
ORACLES: dict[str, type[Float64Gpt | Float64Llama]] = {"gpt": Float64Gpt, "llama": Float64Llama}


@dataclass(frozen=True, kw_only=True)
class GptComparison:
    """What a comparison found."""

    layers: list[LayerError]
    generation: Generation


def compare_gpt(
    workload: DecoderWorkload,
    weights: GptWeights,
    held: Format,
    machine: Decoder,
    *,
    observing: Callable[[bool], None] = lambda on: None,
    progress: Callable[[int, int], None] | None = None,
) -> GptComparison:
    """Decode with a machine and with float64; the machine is fed float64's tokens, then its own from where they differ.

    The float64 model uses the weights as the machine holds them, so that only arithmetic is measured; a second one uses
    them as given. The given tokens are `workload.run.prompt` for the cache and one to begin with.

    Parameters
    ----------
    held : format in which the machine holds weights
    observing : called with True before the machine's decode steps and with False after them
    progress : called with (tokens done, tokens in all)
    """
    model = ORACLES[workload.model.family]
    exact, unrounded = model(workload, weights.rounded(held)), model(workload, weights)
    decoders: tuple[Decoder, ...] = (machine, exact, unrounded)
    drawn = np.random.default_rng(PROMPT_SEED).integers(workload.model.vocab, size=workload.run.context).tolist()
    given, fed = drawn[: workload.run.prompt + 1], drawn[workload.run.prompt :]
    report = progress or (lambda done, total: None)
    for done, token in enumerate(given[:-1], 1):
        for decoder in decoders:
            decoder.step(token, emit=False)
        report(done, workload.run.context)
    token, steps = given[-1], []
    observing(True)
    for done in range(workload.run.tokens):
        steps.append(tuple(decoder.step(token) for decoder in decoders))
        token = steps[-1][1].choice
        report(workload.run.prompt + done + 1, workload.run.context)
    observing(False)
    free = _free_run(workload, machine, [(step[0].choice, step[1].choice) for step in steps])
    for decoder in (machine, exact):
        decoder.rewind(workload.run.prompt)
    choices = [(machine.step(token).choice, exact.step(token).choice) for token in fed]
    return GptComparison(layers=_layers(*steps[0][:2]), generation=_generation(steps, free, choices))


def gpt_report(
    request: VerifyRequest,
    found: GptComparison,
    *,
    weights: GptWeights,
    functions: list[FunctionError],
    lm_head: str,
    contracts: Iterable[Contract],
    spec: SpecT,
    spec_file: SpecFile[SpecT],
    numeric: Collection[str],
) -> VerifyReport:
    """The report of a comparison.

    Parameters
    ----------
    lm_head : where the vocabulary projection was computed
    contracts : blocks whose golden models the machine used
    numeric : parameters that affect the numbers; others are not listed in `unconfirmed`
    """
    parameters = spec.model_dump()
    return VerifyReport(
        hwsim_version=VERSION,
        machine=parameters["name"],
        workload=request.workload.name,
        weights=weights.origin,
        seed=weights.seed,
        size=_size(*(decoder_of(of, parameters["name"]) for of in (request.workload, request.own))),
        lm_head=lm_head,
        functions=functions,
        layers=found.layers,
        generation=found.generation,
        blocks={contract.block: contract.parameters() for contract in contracts},
        parameters=parameters,
        unconfirmed=unconfirmed_parameters(spec, spec_file, numeric),
    )


def _size(workload: DecoderWorkload, own: DecoderWorkload) -> VerifiedSize:
    return VerifiedSize(
        layers=workload.model.layers,
        of_layers=own.model.layers,
        d_model=workload.model.d_model,
        heads=workload.model.heads,
        head_dim=workload.model.head_size,
        d_ff=workload.model.ff_size,
        vocab=workload.model.vocab,
        of_vocab=own.model.vocab,
        n_ctx=workload.model.n_ctx,
        prompt=workload.run.prompt,
        tokens=workload.run.tokens,
        parameters=workload.model.parameters,
    )


def _layers(machine: DecoderStep, exact: DecoderStep) -> list[LayerError]:
    assert machine.logits is not None
    assert exact.logits is not None
    names = ["embedding", *(f"block {layer}" for layer in range(len(exact.streams) - 1)), "logits"]
    pairs = zip((*machine.streams, machine.logits), (*exact.streams, exact.logits), strict=True)
    return [layer_error(name, ours, theirs) for name, (ours, theirs) in zip(names, pairs, strict=True)]


def _generation(steps: list[tuple[DecoderStep, ...]], free: list[int], drawn: list[tuple[int, int]]) -> Generation:
    """Agreement on float64's tokens (steps of machine, float64, float64 with weights as given) and on random ones."""
    forced = [ours.choice for ours, _, _ in steps]
    reference = [exact.choice for _, exact, _ in steps]
    unrounded = [given.choice for _, _, given in steps]
    apart = [index for index, (ours, theirs) in enumerate(zip(forced, reference)) if ours != theirs]
    return Generation(
        reference=reference,
        forced=forced,
        free=free,
        agreement=1 - len(apart) / len(forced),
        first_divergence=apart[0] if apart else None,
        widest_gap=max((_gap(steps[index][1], forced[index]) for index in apart), default=None),
        distinct=len(set(reference)),
        agreement_drawn=sum(ours == theirs for ours, theirs in drawn) / len(drawn),
        distinct_drawn=len({theirs for _, theirs in drawn}),
        agreement_unrounded=sum(a == b for a, b in zip(forced, unrounded)) / len(forced),
    )


def _free_run(workload: DecoderWorkload, machine: Decoder, chosen: list[tuple[int, int]]) -> list[int]:
    """The machine's own tokens; until its choice first differs from float64's, they are the tokens that it was fed.

    Parameters
    ----------
    chosen : (machine's, float64's) choices after float64's tokens
    """
    forced = [ours for ours, _ in chosen]
    parted = next((index for index, (ours, theirs) in enumerate(chosen) if ours != theirs), None)
    if parted is None:
        return forced
    tokens = forced[: parted + 1]
    machine.rewind(workload.run.prompt + 1 + parted)
    while len(tokens) < len(forced):
        tokens.append(machine.step(tokens[-1]).choice)
    return tokens


def _gap(exact: DecoderStep, token: int) -> float:
    """How far a token's logit lies below the largest, in standard deviations of all logits."""
    assert exact.logits is not None
    return float((exact.logits.max() - exact.logits[token]) / exact.logits.std())
