"""Several devices: a single one equals the plain machine, shares add up to the whole, stages follow each other."""

from fractions import Fraction
from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim import load_workload, run
from hwsim.cli import main
from hwsim.devices.schedule import pipeline_ends
from hwsim.devices.spec import LinkSpec
from hwsim.errors import MachineError, MappingError
from hwsim.machines.pim_gpt import MACHINE
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.parallel import split_model
from hwsim.mapping.step import Step
from hwsim.report.schema import Report
from tests.mapping.workloads import tiny

CAPTURE = pytest.CaptureFixture[str]


def llama(**fields: Any) -> DecoderWorkload:
    return tiny(**{"family": "llama", "layers": 4, "heads": 8, "kv_heads": 4, "d_ff": 96, **fields})


def spread(workload: DecoderWorkload, tensor: int, pipeline: int, **more: Any) -> Report:
    settings = {"devices": tensor * pipeline, "tensor_parallel": tensor, "pipeline_parallel": pipeline, **more}
    return run(workload, "pim_gpt", settings)


def without_devices(report: Report) -> dict[str, Any]:
    return report.model_dump(exclude={"devices", "excluded"})


@given(
    family=st.sampled_from(["gpt", "llama"]), tokens=st.integers(1, 4), prompt=st.integers(0, 3),
    refresh=st.booleans(),
)  # fmt: skip
@settings(max_examples=5)
def test_the_share_of_one_device_runs_as_the_plain_machine_does(
    family: str, tokens: int, prompt: int, refresh: bool
) -> None:
    whole = tiny(family=family, layers=2, d_ff=96, tokens=tokens, prompt=prompt)
    (stage,) = split_model(whole, 1, 1)
    assert build_graph(stage.share, stage.split).dump(Step(queries=1, context=9)) == build_graph(whole).dump(
        Step(queries=1, context=9)
    )
    changed = {"parameters", "workload_parameters"}
    one, plain = run(stage.share, settings={"refresh": refresh}), run(whole, settings={"refresh": refresh})
    assert one.model_dump(exclude=changed) == plain.model_dump(exclude=changed)
    assert plain.devices is None


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize("pipeline", [2, 3, 4])
def test_a_sequence_takes_the_stages_one_behind_the_other(pipeline: int, refresh: bool) -> None:
    workload = llama(tokens=5, prompt=1)
    report = spread(workload, 1, pipeline, refresh=refresh)
    assert report.devices is not None
    stages = report.devices.stages
    assert [stage.layers for stage in stages] == {2: [2, 2], 3: [2, 1, 1], 4: [1, 1, 1, 1]}[pipeline]
    assert report.latency_s == pytest.approx(sum(stage.seconds for stage in stages), rel=1e-12)
    # all but the last send 128 B six times: 500 ns and 2 ns on the link
    assert [round(stage.link_seconds * 1e9) for stage in stages] == [6 * 502] * (pipeline - 1) + [0]
    # without refresh a stage takes as long as its layers alone
    for use, stage in zip(stages, split_model(workload, 1, pipeline), strict=True):
        alone = run(stage.share, settings={"refresh": refresh}).latency_s
        if not refresh:
            assert use.seconds - use.link_seconds == pytest.approx(alone, rel=1e-12)
    causes = report.bound.lower_bound_s + sum(part.seconds for part in report.bound.distance)
    assert causes == pytest.approx(report.latency_s, rel=1e-9)
    assert sum(part.cycles for part in report.breakdown) == pytest.approx(report.cycles, rel=0.01)


@pytest.mark.parametrize("pipeline", [2, 4])
def test_over_a_link_that_takes_no_time_stages_take_what_one_device_does(pipeline: int) -> None:
    workload = llama(tokens=6)
    free = {"link.latency_ns": 0, "link.gb_per_s": 1e6, "refresh": False}
    whole, stages = run(workload, settings={"refresh": False}), spread(workload, 1, pipeline, **free)
    # each further device begins with closed rows, so its first access need not close one: tRP is 12 ns. A send still
    # takes a cycle for each token, since shorter times are rounded up to a cycle
    sends = (pipeline - 1) * 6
    assert 0 <= whole.cycles + sends - stages.cycles <= 12 * (pipeline - 1)


def test_the_tokens_of_a_prompt_follow_each_other_through_the_stages() -> None:
    workload = llama(phase="prefill", prompt=40)
    one, four = spread(workload, 1, 1), spread(workload, 1, 4, **{"link.latency_ns": 0})
    assert one.latency_s / 4 < four.latency_s < one.latency_s / 3
    assert any(part.cause == "stages at work side by side" and part.seconds < 0 for part in four.bound.distance)


def held(graph: OperatorGraph, kinds: tuple[str, ...]) -> int:
    return sum(op.weights for op in graph.operators if op.kind in kinds)


@given(
    family=st.sampled_from(["gpt", "llama"]), tensor=st.sampled_from([1, 2, 4]), pipeline=st.integers(1, 4),
    queries=st.integers(1, 3), context=st.integers(3, 50),
)  # fmt: skip
def test_shares_add_up_to_the_whole(family: str, tensor: int, pipeline: int, queries: int, context: int) -> None:
    whole = llama(family=family)
    step = Step(queries=queries, context=context)
    graph, totals = build_graph(whole), build_graph(whole).totals(step)
    shares = [build_graph(s.share, s.split) for s in split_model(whole, tensor, pipeline)]
    each = [share.totals(step) for share in shares]
    assert tensor * sum(share.macs for share in each) == totals.macs
    assert tensor * sum(share.state_bytes for share in each) == totals.state_bytes
    weights, norms = ("linear", "collective"), ("norm", "rmsnorm")
    assert tensor * sum(held(share, weights) for share in shares) == held(graph, weights)
    assert sum(held(share, norms) for share in shares) == held(graph, norms)  # each device has them all


def test_devices_that_share_a_layer_count_as_often_as_they_are() -> None:
    workload = llama(tokens=3)
    report = spread(workload, 4, 1)
    assert report.devices is not None
    assert (report.devices.devices, report.devices.simulated) == (4, 1)
    stage = split_model(workload, 4, 1)[0]
    alone = run(stage.share)
    assert report.dram.bytes_read == 4 * alone.dram.bytes_read
    assert report.memory("banks").used_bytes == 4 * alone.memory("banks").used_bytes
    # 2 sums a layer of 128 B in parts of 32 B, over 2 x 3 transfers of 500.5 ns
    assert report.devices.stages[0].link_seconds == pytest.approx(3 * 4 * 2 * 3003e-9)
    assert report.bytes_over("device_link") == 4 * 3 * 4 * 2 * 6 * 32
    kinds = {part.kind for part in report.breakdown}
    assert "collective" in kinds
    assert report.energy is not None
    assert sum(part.joules for part in report.energy.components) == pytest.approx(report.energy.joules)


def test_alike_stages_are_simulated_once() -> None:
    report = spread(llama(tokens=2), 2, 4)
    assert report.devices is not None
    assert (report.devices.devices, report.devices.simulated) == (8, 2)  # the last stage sends nothing on


def test_a_faster_link_and_more_devices_shorten_a_large_model() -> None:
    workload = load_workload("llama2_7b", tokens=1, layers=2)
    times = [
        spread(workload, tensor, 1, **{"link.latency_ns": latency}).latency_s
        for tensor, latency in ((1, 0), (2, 0), (8, 0), (8, 500), (8, 100_000))
    ]
    assert times[0] > times[1] > times[2] < times[3] < times[4]
    assert times[4] > times[0]


def test_transfers_by_hand() -> None:
    link = LinkSpec(gb_per_s=64, latency_ns=500)
    assert link.send_ns(8192) == 500 + 128
    assert link.all_reduce_ns(8192, 4) == 6 * (500 + 32)
    assert link.all_reduce_bytes(8192, 4) == 6 * 2048
    assert LinkSpec(gb_per_s=0.1, latency_ns=0.1).send_ns(1) == Fraction(1, 10) + 10


def slow_ends(durations: list[list[int]], prompt_steps: int) -> list[int]:
    """The same with SimPy processes: stages with input queues, and a source that waits for generated tokens."""
    env = simpy.Environment()
    queues = [simpy.Store(env) for _ in range(len(durations) + 1)]
    ends: list[int] = []
    out = [env.event() for _ in durations[0]]

    def source() -> Any:
        for step in range(len(durations[0])):
            if step and step >= prompt_steps:
                yield out[step - 1]
            queues[0].put(step)
        yield env.timeout(0)

    def stage(number: int) -> Any:
        while True:
            step = yield queues[number].get()
            yield env.timeout(durations[number][step])
            queues[number + 1].put(step)

    def sink() -> Any:
        for _ in durations[0]:
            step = yield queues[-1].get()
            ends.append(int(env.now))
            out[step].succeed()

    env.process(source())
    for number in range(len(durations)):
        env.process(stage(number))
    env.run(until=env.process(sink()))
    return ends


@given(data=st.data(), stages=st.integers(1, 4), steps=st.integers(1, 8))
def test_the_pipeline_follows_its_processes(data: st.DataObject, stages: int, steps: int) -> None:
    durations = [data.draw(st.lists(st.integers(0, 9), min_size=steps, max_size=steps)) for _ in range(stages)]
    prompt_steps = data.draw(st.integers(0, steps))
    assert pipeline_ends(durations, prompt_steps) == slow_ends(durations, prompt_steps)


def test_a_model_that_one_device_cannot_hold_is_spread_over_several() -> None:
    workload = load_workload("llama2_7b", tokens=1)
    with pytest.raises(MappingError, match=r"weights need 12352\.0 MiB .* of 4096\.0 MiB"):
        run(workload, "pim_gpt")
    with pytest.raises(MappingError, match=r"weights need 6176\.0 MiB .* of 4096\.0 MiB"):
        spread(workload, 2, 1)
    report = spread(workload, 2, 2)
    assert report.devices is not None
    assert all(0 < stage.memory_bytes <= stage.capacity_bytes == 1 << 32 for stage in report.devices.stages)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["devices=8"], "pim_gpt: devices 8 must be tensor_parallel 1 x pipeline_parallel 1; set all three"),
        (["devices=3", "tensor_parallel=3"], "tiny_llama: tensor_parallel 3 does not divide heads 8"),
        (["devices=8", "tensor_parallel=8"], "tiny_llama: tensor_parallel 8 does not divide kv_heads 4"),
        (["devices=3", "pipeline_parallel=3"], "pipeline_parallel 3 needs as many layers, got 2"),
        (["devices=2", "tensor_parallel=2", "workload.lm_head=included"], "several devices run the blocks alone"),
        (["devices=0"], "devices: input should be greater than or equal to 1, got 0"),
        (["link.gb_per_s=0"], "link.gb_per_s: input should be greater than 0, got 0"),
        (["link.latency_ns=-1"], "link.latency_ns: input should be greater than or equal to 0, got -1"),
    ],
)
def test_mistakes_are_one_line(settings: list[str], message: str, capsys: CAPTURE) -> None:
    assert main(["run", "tiny_llama", *(word for text in settings for word in ("--set", text))]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_the_report_names_devices_and_their_link(capsys: CAPTURE) -> None:
    words = ["--set", "devices=4", "--set", "tensor_parallel=2", "--set", "pipeline_parallel=2"]
    assert main(["run", "tiny_llama", "--tokens", "2", *words]) == 0
    out = capsys.readouterr().out
    for expected in ("Devices: 4, 2 of them simulated", "collective", "link between devices", "link.latency_ns"):
        assert expected in out
    assert main(["explain", "tiny_llama", "--stage", "program", *words]) == 0
    out = capsys.readouterr().out
    for expected in ("link l0.proj.reduce (collective): 1008 cycles, 512 B", "link send (collective): 508 cycles"):
        assert expected in out


def test_a_page_and_a_trace_show_the_first_device(tmp_path: Any) -> None:
    words = ["--set", "devices=2", "--set", "pipeline_parallel=2", "--quiet"]
    files = ["--html", str(tmp_path / "page.html"), "--trace", str(tmp_path / "run.trace")]
    assert main(["run", "tiny_llama", "--tokens", "2", *words, *files]) == 0
    assert (tmp_path / "page.html").stat().st_size > 0 < (tmp_path / "run.trace").stat().st_size


def test_arithmetic_is_verified_on_one_device(capsys: CAPTURE) -> None:
    assert main(["verify", "tiny_llama", "--set", "devices=2", "--set", "tensor_parallel=2"]) == 2
    assert "devices 2: arithmetic is verified on one device" in capsys.readouterr().err


def test_a_machine_that_is_one_device_says_so() -> None:
    with pytest.raises(MachineError, match="pim_gpt: cannot be one of several devices"):
        super(type(MACHINE), MACHINE).step_ends(None)  # type: ignore[misc,arg-type]
