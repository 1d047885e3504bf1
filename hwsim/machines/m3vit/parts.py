"""The units of the machine, and how long a token takes in each."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.engine.unit_spec import UnitSpec
from hwsim.errors import MachineError
from hwsim.machines.m3vit.sizes import Sizes
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.rtl.buffer_memory.contract import BufferMemoryContract
from hwsim.rtl.contract import Contract, ContractError
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.topk_gate.contract import TopkGateContract


def units(spec: M3vitSpec, sizes: Sizes | None = None) -> tuple[UnitSpec, ...]:
    """What the machine consists of, for a model of some sizes; for those that it is built for unless given."""
    return tuple(_units(spec, sizes or spec.built_for))


def _units(spec: M3vitSpec, sizes: Sizes) -> Iterator[UnitSpec]:
    def made(name: str, contract: Contract, count: int = 1) -> UnitSpec:
        return UnitSpec(name=name, kind="fpga", clock_hz=spec.clock_hz, contract=contract, count=count)

    def stated(name: str, source: str) -> UnitSpec:
        return UnitSpec(name=name, kind="fpga", clock_hz=spec.clock_hz, stated=source)

    activation = spec.formats.fixed("activation").width
    yield made("engine", spec.head_engine)
    yield made("norm", layer_norm(spec, sizes.width))
    yield made("softmax", spec.exp, spec.engine.heads * spec.softmax.lanes)
    yield made("gelu", spec.gelu_lanes)
    if sizes.experts:
        yield made("gate", gate(spec, sizes))
    yield stated("adder", f"{spec.adder.lanes} additions a cycle (assumed)")
    yield stated("loader", "a beat of each port a cycle into the buffers")
    resident = sizes.resident_words * spec.formats.number_bytes("weight")
    for name, size in {"resident": resident, **weight_memories(spec, sizes)}.items():
        yield made(
            f"weights.{name}", _buffer(size, spec.head_engine.macs_per_cycle * spec.formats.fixed("weight").width)
        )
    yield made("keys_values", _buffer(keys_values_bytes(spec, sizes), spec.head_engine.macs_per_cycle * activation))
    yield made("activations", _buffer(activation_bytes(spec, sizes), spec.engine.in_lanes * activation))


def layer_norm(spec: M3vitSpec, width: int) -> LayerNormContract:
    """The norm unit for tokens of `width` elements, padded to whole beats."""
    try:
        return LayerNormContract.from_preset(
            "rtl",
            features=-(-width // spec.norm.lanes) * spec.norm.lanes,
            lanes=spec.norm.lanes,
            activation=spec.formats.fixed("activation"),
            accumulator=spec.formats.fixed("accumulator"),
        )
    except ContractError as cause:
        raise MachineError(f"{spec.name}: {cause}") from None


def gate(spec: M3vitSpec, sizes: Sizes, beside: int = 0) -> TopkGateContract:
    """The gate for tokens of some width; with more experts than it has rows for, it goes over a token several times.

    Parameters
    ----------
    beside : elements of a task's vector that it reads too
    """
    experts, lanes = min(sizes.experts, spec.gate.experts), spec.gate.lanes
    try:
        return TopkGateContract.from_preset(
            "rtl",
            experts=experts,
            lanes=lanes,
            inputs=-(-(sizes.width + beside) // lanes) * lanes,
            top=min(sizes.top_k, experts),
            max_tokens=sizes.tokens,
            activation=spec.formats.fixed("activation"),
            weight=spec.formats.fixed("weight"),
        )
    except ContractError as cause:
        raise MachineError(f"{spec.name}: {cause}") from None


def gate_cycles(spec: M3vitSpec, sizes: Sizes, beside: int = 0) -> tuple[int, int]:
    """Cycles from a token to the next in the gate, and from a token to its experts.

    The logits of all experts pass one softmax; the products of the next token overlap it.
    """
    contract = gate(spec, sizes, beside)
    tiles = -(-sizes.experts // contract.experts) * contract.tiles
    softmax = (sizes.experts - 1) * contract.logit_interval + 1 + sizes.top_k
    return max(tiles, softmax), tiles + contract.mac.latency + softmax + contract.latency


def weight_memories(spec: M3vitSpec, sizes: Sizes) -> dict[str, int]:
    """Bytes of each memory for weights that are streamed: of attention, of experts and dense hidden layers.

    The second does not grow with the number of experts, unless all of a layer lie there.
    """
    number, bias = spec.formats.number_bytes("weight"), spec.formats.number_bytes("bias")
    width, hidden = sizes.width, sizes.expert_hidden
    held = spec.buffers.expert_bytes
    if spec.mode == "cache":
        held = max(held, spec.cache.capacity_bytes)
    if spec.mode == "resident":
        held = max(held, sizes.experts * (2 * width * hidden * number + (width + hidden) * bias))
    return {"attention": spec.buffers.attention_bytes, "experts": held}


def keys_values_bytes(spec: M3vitSpec, sizes: Sizes) -> int:
    """Bytes of the keys and values of an image, which every query meets."""
    return 2 * sizes.tokens * sizes.width * spec.formats.number_bytes("activation")


def activation_bytes(spec: M3vitSpec, sizes: Sizes) -> int:
    """Bytes of what else of an image lies on the chip between the steps of a layer.

    Sums of experts and an expert's hidden units always do; the stream, queries, what attention gives, normed tokens and
    hidden units of a dense layer unless they go through memory.
    """
    number, total = spec.formats.number_bytes("activation"), spec.formats.number_bytes("accumulator")
    always = bool(sizes.experts) * (sizes.width * total + sizes.expert_hidden * number)
    between = ((3 + bool(sizes.experts)) * sizes.width + sizes.hidden) * number
    return sizes.tokens * (always + (between if spec.activations == "on_chip" else 0))


def _buffer(size_bytes: int, width_bits: int) -> BufferMemoryContract:
    """A memory that gives a word of some width a cycle; a word for every multiplier, where it feeds them all."""
    return BufferMemoryContract.from_preset(
        "published", words=max(1, -(-8 * size_bytes // width_bits)), width_bits=width_bits
    )
