"""From a mapped graph to the instructions of each step: matrix after matrix, all tokens through each.

norm -> queries | norm -> keys | norm -> values | attention | projection -> add [-> norm -> gate]
norm -> first matrix -> activation | second matrix -> add        or the experts (`experts.py`)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from hwsim.machines.m3vit import parts
from hwsim.machines.m3vit.activations import Activations
from hwsim.machines.m3vit.experts import expert_instructions
from hwsim.machines.m3vit.instructions import Instruction, Work
from hwsim.machines.m3vit.maker import Maker
from hwsim.machines.m3vit.pipelines import AttentionTiles, Rows, Stage, attention
from hwsim.machines.m3vit.programs import M3vitMapped, Program
from hwsim.machines.m3vit.sizes import Sizes
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.mapping.operators import Attention, ExpertFfn, Linear, PatchEmbed, Route
from hwsim.mapping.step import Step
from hwsim.mapping.workload.workload import Workload


def lower(mapped: M3vitMapped, workload: Workload[Any, Any], spec: M3vitSpec) -> Program:
    """The program of a run.

    Raises
    ------
    MachineError : buffers for activations that the memory does not hold
    """
    sizes = Sizes.of(mapped.graph, mapped.context)
    (embed,) = (op for op in mapped.graph.operators if isinstance(op, PatchEmbed))
    activations = Activations.of(spec, sizes, embed, batch=mapped.batch, begin=mapped.placement.end)
    return Program(
        workload=workload,
        spec=spec,
        mapped=mapped,
        sizes=sizes,
        activations=activations,
        instructions=partial(_instructions, spec, mapped, sizes, activations),
    )


def _instructions(
    spec: M3vitSpec, mapped: M3vitMapped, sizes: Sizes, activations: Activations, step: Step, number: int
) -> Iterator[Instruction]:
    maker = Maker(spec=spec, mapped=mapped, sizes=sizes, activations=activations, step=step, number=number)
    yield _embed(maker)
    for layer in maker.layers:
        if gate := maker.gate(layer):  # it is small, and the first that the layer needs of what depends on the task
            yield maker.load(gate)
        yield from _attention_branch(maker, layer)
        experts = maker.operator(layer, "experts")
        if isinstance(experts, ExpertFfn):
            yield from expert_instructions(maker, experts, partial(_projection, maker, layer))
        else:
            yield from _projection(maker, layer)
            yield from _hidden_layer(maker, layer)
    yield from _results(maker)


def _embed(maker: Maker) -> Work:
    """Patches come from memory, pass their matrix, which stays on the chip, and get their positions."""
    op = maker.embed
    patches = maker.step.batch * op.patches
    engine = maker.matrix(op.patch_elements, op.width, reads=maker.rows("image", patches, op.patch_elements))
    adder = maker.adder(op.width, writes=maker.rows("x", patches, op.width))
    return maker.work(
        op, [engine, adder], patches, tiles=patches * engine.interval, macs=op.macs(maker.step),
        opens_step=True,
    )  # fmt: skip


def _attention_branch(maker: Maker, layer: int) -> Iterator[Instruction]:
    """Queries, keys and values, each from the tokens normed anew; attention of each image."""
    for role in ("q", "k", "v"):
        op = maker.linear(layer, role)
        for part in maker.weights.matrices[op.name]:
            norm = maker.norm(op.d_in, reads=maker.rows("x", maker.tokens, op.d_in))
            writes = maker.rows("queries", maker.tokens, part.d_out) if role == "q" else None
            yield from maker.through(op, part, [norm, maker.matrix(part.d_in, part.d_out, writes=writes)])
    for image in range(maker.step.batch):
        yield _attention_of(maker, maker.attention(layer), image)


def _attention_of(maker: Maker, op: Attention, image: int) -> Work:
    """Attention within one image of the batch."""
    spec, engine, queries = maker.spec, maker.spec.head_engine, maker.step.queries
    turns = -(-op.heads // engine.heads)
    tiles = AttentionTiles(
        scores=engine.score_tiles(op.heads, op.d_k, queries),
        values=engine.value_tiles(op.heads, op.d_v, queries),
        softmax=turns * -(-queries // spec.softmax.lanes),
        softmax_latency=spec.exp.latency + spec.reciprocal.latency,
        latency=engine.latency,
        ahead=spec.engine.queries_ahead,
    )
    name = maker.label(op.name if maker.step.batch == 1 else f"{op.name}.{image}")

    def rows(buffer: str, width: int) -> Rows | None:
        return maker.rows(buffer, queries, width, skipped=image * queries)

    task = attention(
        name, queries, tiles, reads=rows("queries", op.heads * op.d_k), writes=rows("attended", op.heads * op.d_v)
    )
    return Work(
        name=name, kind=op.kind, operator=op.name, task=task, tiles=queries * (tiles.scores + tiles.values),
        macs=op.macs(maker.step) // maker.step.batch,
    )  # fmt: skip


def _projection(maker: Maker, layer: int, frees: Sequence[str] = ()) -> Iterator[Instruction]:
    """The projection, added to the stream; in a layer with experts each token then passes norm and gate.

    Parameters
    ----------
    frees : loads of experts of which it is known then that they have no token
    """
    op, route = maker.linear(layer, "proj"), maker.operator(layer, "route")
    passes = maker.weights.matrices[op.name]
    for part in passes:
        engine = maker.matrix(part.d_in, part.d_out, reads=maker.rows("attended", maker.tokens, part.d_in))
        stages = [engine, maker.added_to(part.d_out)]
        if part is not passes[-1] or not isinstance(route, Route):
            yield from maker.through(op, part, stages)
            continue
        gate = maker.gate(layer)
        assert gate
        behind = _norm_and_gate(maker, route)
        yield from maker.through(op, part, [*stages, *behind], gate=maker.loaded(gate), frees=frees)


def _norm_and_gate(maker: Maker, route: Route) -> list[Stage]:
    interval, latency = parts.gate_cycles(maker.spec, maker.sizes, route.task_embedding)
    norm = maker.norm(route.width, writes=maker.rows("normed", maker.tokens, route.width))
    return [norm, Stage(unit="gate", interval=interval, latency=latency)]


def _hidden_layer(maker: Maker, layer: int) -> Iterator[Instruction]:
    """A dense hidden layer."""
    first, second = maker.linear(layer, "ffn1"), maker.linear(layer, "ffn2")
    for part in maker.weights.matrices[first.name]:
        norm = maker.norm(first.d_in, reads=maker.rows("x", maker.tokens, first.d_in))
        engine = maker.matrix(part.d_in, part.d_out)
        gelu = maker.gelu(part.d_out, writes=maker.rows("hidden", maker.tokens, part.d_out))
        yield from maker.through(first, part, [norm, engine, gelu])
    for part in maker.weights.matrices[second.name]:
        engine = maker.matrix(part.d_in, part.d_out, reads=maker.rows("hidden", maker.tokens, part.d_in))
        yield from maker.through(second, part, [engine, maker.added_to(part.d_out)])


def _results(maker: Maker) -> Iterator[Work]:
    """The final norm and the classifier, where there are; what comes out goes to memory."""
    width, tokens, step = maker.embed.width, maker.tokens, maker.step
    norm, classifier = maker.operator(None, "final_norm"), maker.operator(None, "classifier")
    out = None if isinstance(classifier, Linear) else maker.rows("results", tokens, width)
    if norm:
        yield maker.work(norm, [maker.norm(width, reads=maker.rows("x", tokens, width), writes=out)], tokens)
    elif out:
        yield maker.work(
            maker.last, [Stage(unit="adder", interval=out.row_beats, latency=1, writes=out)], tokens, name="results"
        )
    if isinstance(classifier, Linear):
        logits = maker.rows("results", step.outputs, classifier.d_out)
        engine = maker.matrix(classifier.d_in, classifier.d_out, writes=logits)
        yield maker.work(
            classifier, [engine], step.outputs, tiles=step.outputs * engine.interval, macs=classifier.macs(step)
        )
