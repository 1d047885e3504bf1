"""A split model computes the same as the whole one: all devices' graphs are executed in float64, in lockstep."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import Collective
from hwsim.mapping.parallel import PipelineStage, split_model
from hwsim.verify.float64_llama import Float64Llama
from hwsim.verify.weights import random_weights
from tests.mapping.test_llama import Interpreter, llama

Values = NDArray[np.float64]
ROWS = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")  # a device computes a part of their results
COLUMNS = ("o_proj", "down_proj")  # a device has a part of their inputs


def share_of(whole: DecoderWorkload, stage: PipelineStage, first_layer: int, device: int) -> Interpreter:
    """A device with its part of the whole model's tensors."""
    own = Interpreter(stage.share)
    own.graph = build_graph(stage.share, stage.split)
    own.tensors = {}
    tensor = stage.split.tensor
    for name, values in random_weights(whole, 7).tensors.items():
        if not name.startswith("layers."):
            continue
        _, layer, rest = name.split(".", 2)
        module = rest.split(".")[-2]
        if module in ROWS:
            values = np.split(values, tensor)[device]  # noqa: PLW2901
        elif module in COLUMNS:
            values = np.split(values, tensor, axis=1)[device]  # noqa: PLW2901
        if first_layer <= int(layer) < first_layer + stage.share.model.layers:
            own.tensors[f"layers.{int(layer) - first_layer}.{rest}"] = values
    return own


def streams(devices: list[Interpreter], embedded: Values) -> Values:
    """One token through the devices of a stage, which wait for each other at every sum."""
    made: list[dict[str, Values]] = [{"embedded": embedded} for _ in devices]
    for device in devices:
        device.position += 1
    for ops in zip(*(device.graph.operators for device in devices), strict=True):
        results = []
        for op, device, values in zip(ops, devices, made, strict=True):
            inputs = [values[name] for name in op.inputs]
            results.append(inputs[0] if isinstance(op, Collective) else device.run(op, inputs))
        if isinstance(ops[0], Collective) and ops[0].function == "all_reduce":
            results = [np.sum(results, axis=0)] * len(devices)
        for op, values, result in zip(ops, made, results, strict=True):
            values[op.name] = result
    last = [values[ops[0].name] for values in made]
    assert all((other == last[0]).all() for other in last)
    return last[0]


def stages_of(whole: DecoderWorkload, tensor: int, pipeline: int) -> Iterator[list[Interpreter]]:
    first = 0
    blocks = replace(whole, run=whole.run.model_copy(update={"lm_head": "excluded"}))
    for stage in split_model(blocks, tensor, pipeline):
        yield [share_of(whole, stage, first, device) for device in range(tensor)]
        first += stage.share.model.layers


@pytest.mark.parametrize(("tensor", "pipeline"), [(1, 1), (2, 1), (4, 1), (1, 3), (2, 2)])
def test_devices_together_compute_the_model(tensor: int, pipeline: int) -> None:
    whole = llama(layers=3, heads=8, kv_heads=4, tokens=4)
    model = Float64Llama(whole, random_weights(whole, 7))
    stages = list(stages_of(whole, tensor, pipeline))
    for token in (3, 1, 4, 1):
        exact = model.step(token).streams
        stream = exact[0]
        for devices in stages:
            stream = streams(devices, stream)
        np.testing.assert_allclose(stream, exact[-1], atol=1e-12)
