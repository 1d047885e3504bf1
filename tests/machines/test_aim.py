"""GDDR6-AiM as a machine: its trace takes as many cycles, and its parts add up."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwsim import run
from hwsim.cli import main
from hwsim.dram.aim.isa import OPERATIONS
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.player import AimPlayer
from hwsim.dram.aim.reference import ReferenceAim
from hwsim.dram.aim.refresh import MODES
from hwsim.dram.aim.trace import Limits, parse_line
from hwsim.dram.aim.trace_file import read_file
from hwsim.errors import CapacityError, MachineError, MappingError
from hwsim.machines.aim import MACHINE
from hwsim.machines.aim.programs import AimWork, HostWork, Program, placed
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.step import Step
from hwsim.pipeline import prepare, run_in_detail
from hwsim.replay.aim import play_trace
from tests.mapping.workloads import tiny


def program_of(workload: DecoderWorkload, **spec: Any) -> Program:
    program = prepare(workload, "aim", spec).program
    assert isinstance(program, Program)
    return program


def emitted(program: Program) -> list[str]:
    """The instructions of a program's trace."""
    lines = "".join(MACHINE.emit_trace(program)).splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_a_step_as_its_trace() -> None:
    """64 elements on one channel: 192 outputs are 12 per bank; the third token's key lies in bank 2."""
    program = program_of(tiny(d_ff=16, heads=4, tokens=3), channels=1)
    shown = [line.strip() for line in program.dump(Step(queries=1, context=3)).splitlines()]
    assert shown[:3] == [
        "program tiny: step of 1 at 3",
        "host l0.norm1 (norm): 64 elements, 24 cycles",
        "aim  l0.qkv (linear): rows from 0, bound 1173 DRAM cycles",
    ]
    at = shown.index("aim  l0.kv.k (kv_cache): rows from 12, bound 0 DRAM cycles")
    assert shown[at + 1 : at + 5] == ["AiM WR_SBK 0 0x1 2 12"] * 4
    assert shown[at + 6 : at + 10] == [f"AiM WR_ABK 0 0x1 {row}" for row in range(13, 17)]
    assert shown[at + 11 : at + 24] == [
        "AiM WR_GB 4 0 0x1",
        *["AiM WR_BIAS 0 0x1"] * 4,  # a result of every bank for each head
        *["AiM MAC_ABK 1 0x1 12"] * 4,
        *["AiM RD_MAC 0 0x1"] * 4,
    ]
    at = shown.index("aim  l0.ffn1 (linear): rows from 21, bound 7 DRAM cycles")
    assert shown[at + 1 : at + 7] == [
        "W CFR 2 0",  # gelu is the first of af_functions
        "AiM WR_GB 4 0 0x1",
        "AiM WR_BIAS 0 0x1",
        "AiM MAC_ABK 4 0x1 21",
        "AiM AF 0x1",
        "AiM RD_AF 0 0x1",
    ]


def test_channels_without_values_are_not_written() -> None:
    """3 heads of 16 dimensions are a group each: 2 channels hold one group each, the first of them also the third."""
    program = program_of(tiny(heads=3, head_dim=16, tokens=1), channels=2)
    wide = program_of(tiny(heads=3, head_dim=16, tokens=1), channels=4)
    masks = [[line.split()[3] for line in emitted(p) if "WR_ABK" in line] for p in (program, wide)]
    layers = program.workload.model.layers
    # the first channel is the highest bit
    assert masks == [["0x2", "0x1", "0x2"] * layers, ["0x8", "0x4", "0x2"] * layers]


@given(
    channels=st.sampled_from([1, 2, 3, 32]),
    heads=st.integers(1, 5),
    head_dim=st.sampled_from([8, 16, 24, 64]),
    d_ff=st.sampled_from([48, 1040, 2100]),
    layers=st.integers(1, 2),
    past=st.sampled_from([0, 30, 510, 1020]),
    batch=st.integers(1, 2),
    accumulators=st.sampled_from([1, 3, 32]),
    functions=st.sampled_from([["gelu"], ["silu", "gelu"], ["relu"]]),
    lm_head=st.sampled_from(["included", "excluded"]),
    family=st.sampled_from([{}, {"family": "llama", "kv_heads": 1}]),
    refresh=st.sampled_from(MODES),
    changed=st.sampled_from([{}, {"rows": 20_000}, {"timing.nRCDRDMAC": 100, "timing.nRP": 40}]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_trace_takes_the_cycles_of_the_run(  # the promise of --emit-trace
    tmp_path: Path, channels: int, heads: int, head_dim: int, d_ff: int, layers: int, past: int, batch: int,
    accumulators: int, functions: list[str], lm_head: str, family: dict[str, Any], refresh: Any,
    changed: dict[str, Any],
) -> None:  # fmt: skip
    workload = tiny(
        d_model=40, heads=heads, head_dim=head_dim, d_ff=d_ff, layers=layers, past=past, batch=batch, tokens=3,
        prompt=1, lm_head=lm_head, **family,
    )  # fmt: skip
    spec = {"channels": channels, "accumulators": accumulators, "af_functions": functions, "refresh": refresh}
    spec |= changed
    report, _ = run_in_detail(workload, "aim", spec, emit=tmp_path / "run.trace")
    played = play_trace(tmp_path / "run.trace", channels, refresh=refresh, settings=changed)
    aim = report.units[0]
    assert (played.cycles, played.commands) == (aim.busy_cycles, report.dram.commands)
    assert played.refresh_cycles == report.dram.refresh_cost_cycles
    assert played.instructions == report.instructions
    # the host's time adds only standby, and refreshes that delay nothing
    assert report.energy is not None
    for part in report.energy.components:
        if not part.component.startswith(("standby", "refresh")):
            assert part.joules == pytest.approx(played.energy_pj[part.component] * 1e-12)


def test_a_trace_names_the_options_that_play_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "run.trace"
    settings = {"channels": 8, "refresh": "all_bank", "rows": 20_000, "timing.nRP": 40}
    report, _ = run_in_detail(tiny(tokens=1), "aim", settings, emit=trace)
    first = trace.read_text().splitlines()[0]
    options = "--channels 8 --refresh all_bank --set rows=20000 --set timing.nRP=40"
    assert first == f"# {report.workload} on aim; to play it: hwsim aim FILE {options}"
    assert main(["aim", str(trace), *options.split(), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["cycles"] == report.dram.trace_cycles


def test_the_public_simulator_s_rule_of_one_channel() -> None:
    """It refuses WR_ABK, WR_SBK and RD_SBK for several channels; our WR_ABK went to several at once."""
    lines = emitted(program_of(tiny(heads=4, head_dim=16, tokens=2), channels=32))
    masks = [int(line.split()[3], 16) for line in lines if line.split()[1] in ("WR_ABK", "WR_SBK", "RD_SBK")]
    assert len(masks) > 8
    assert all(mask.bit_count() == 1 for mask in masks)


@pytest.mark.parametrize("refresh", MODES)
def test_the_slow_player_takes_them_too(refresh: Any) -> None:
    program = program_of(tiny(tokens=2), channels=2, refresh=refresh)
    limits = Limits.of(load_aim(), 2)
    slow = ReferenceAim(load_aim(refresh), 2)
    slow.play([i for line in emitted(program) if (i := parse_line(line, limits))])
    assert slow.cycle == run(tiny(tokens=2), "aim", {"channels": 2, "refresh": refresh}).dram.trace_cycles


def test_the_parts_add_up() -> None:
    report = run(tiny(tokens=20), "aim", {"refresh": "all_bank"})
    distance = sum(part.seconds for part in report.bound.distance)
    assert report.bound.lower_bound_s + distance == pytest.approx(report.latency_s)
    assert all(part.seconds >= 0 for part in report.bound.distance)
    waits = next(part.seconds for part in report.bound.distance if part.cause == "waits for clock edges")
    shares = sum(part.share for part in report.breakdown)
    assert shares == pytest.approx(1 - waits / report.latency_s)
    assert report.energy is not None
    assert sum(part.joules for part in report.energy.components) == pytest.approx(report.energy.joules)
    assert report.decoding.lm_head == "excluded"
    assert report.excluded[0].seconds_per_unit > 0


def test_the_host_does_what_af_does_not() -> None:
    with_af, without = (run(tiny(), "aim", {"af_functions": functions}) for functions in (["gelu"], []))
    assert "act" in {part.kind for part in without.breakdown}
    assert "act" not in {part.kind for part in with_af.breakdown}
    assert "AF16" in with_af.dram.commands
    assert "AF16" not in without.dram.commands


def test_a_faster_host_shortens_its_own_share_alone() -> None:
    slow, fast = (run(tiny(), "aim", {"host.lanes": lanes}) for lanes in (4, 64))
    assert slow.units[0].busy_cycles == fast.units[0].busy_cycles
    assert slow.units[1].busy_cycles > fast.units[1].busy_cycles


def test_sweeps_cover_every_product() -> None:
    """The columns swept hold at least the multiply-accumulates of the graph, and exactly the weights."""
    workload = tiny(d_model=1100, heads=4, head_dim=64, tokens=1)
    program = program_of(workload, channels=4)
    step = Step(queries=1, context=1)
    swept = {p.name: p.program.accesses * 16 for p in program.pieces(step) if isinstance(p, AimWork)}
    ops = {m.operator.name: m.operator.macs(step) for m in program.mapped.operators if m.unit == "aim"}
    assert {name: swept[name] for name in ("l0.qkv", "l0.ffn1")} == {
        "l0.qkv": 768 * 69 * 16,  # 1,100 inputs are 69 columns; 768 outputs fill 48 groups of 16, 12 a channel
        "l0.ffn1": 4400 * 69 * 16,
    }
    assert all(swept[name] >= macs for name, macs in ops.items() if macs)


def test_a_prompt_goes_token_by_token() -> None:
    prefill = run(tiny(phase="prefill", prompt=5, tokens=0), "aim")
    decode = run(tiny(tokens=5), "aim")
    assert prefill.cycles == decode.cycles


def test_layers_and_neighbouring_tokens_share_what_was_played() -> None:
    report = run(tiny(layers=6, tokens=32), "aim")
    assert report.dram.programs_played + report.dram.programs_repeated == 3 * 6 * 32
    # a token's first segment writes its key somewhere else; the two others change each 16 tokens at most
    assert report.dram.programs_played < 32 + 30


def test_a_model_that_does_not_fit_is_refused() -> None:
    with pytest.raises(
        CapacityError, match=r"weights need 1\.1 MiB and the cache of 1000 tokens x 1 needs 2\.1 MiB of 0\.2 MiB"
    ):
        run(tiny(tokens=1000), "aim", {"channels": 1, "rows": 5})


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def complaint(*arguments: str) -> str:
        assert main(["run", "gpt2", "--machine", "aim", "--tokens", "1", *arguments]) == 2
        return capsys.readouterr().err

    assert "--set lm_head: no such parameter" in complaint("--set", "lm_head=host")
    assert "aim: draws no --trace" in complaint("--trace", str(tmp_path / "x"), "--emit-trace", str(tmp_path / "y"))
    assert "format int8 of results, but the banks of aim compute in bf16" in complaint("--set", "workload.format=int8")
    assert "table dramsim3 has currents" in complaint("--set", "energy=dramsim3")
    assert "leaves no time for work" in complaint("--set", "refresh=per_bank", "--set", "timing.nREFI=1600")
    assert "af_functions: gelu is given twice" in complaint("--set", "af_functions=[gelu, gelu]")
    assert main(["run", "gpt2", "--tokens", "1", "--emit-trace", str(tmp_path / "y")]) == 2
    assert "pim_gpt: has no instruction trace" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_host_work_stands_between_barriers() -> None:
    program = program_of(tiny(tokens=1))
    kinds = [type(piece) for piece in program.pieces(Step(queries=1, context=1))]
    joined = sum(a is AimWork and b is HostWork for a, b in pairwise(kinds))
    lines = emitted(program)
    assert lines.count("AiM SYNC") == joined - 1
    assert lines[-1] == "AiM EOC"


def test_rows_of_a_piece_lie_in_its_block(tmp_path: Path) -> None:
    program = program_of(tiny(layers=3, past=2000, heads=3, head_dim=24))
    blocks = {**program.mapped.placement.matrices, **program.mapped.placement.caches}
    for piece in program.pieces(Step(queries=1, context=2004)):
        if isinstance(piece, AimWork):
            encoded = placed(piece)
            rows = encoded[[list(OPERATIONS)[c] not in ("WR_CFR",) for c in encoded[:, 0]], 4]
            owner = next(b for b in blocks.values() if b.base_row == piece.base_row)
            assert rows[rows >= 0].max() < owner.base_row + owner.rows


def test_the_trace_reads_back(tmp_path: Path) -> None:
    program = program_of(tiny(tokens=2), channels=2)
    path = tmp_path / "x.trace"
    path.write_text("".join(MACHINE.emit_trace(program)))
    pieces = [p for step in program.steps() for p in program.pieces(step) if isinstance(p, AimWork)]
    read = np.concatenate(list(read_file(path, Limits.of(load_aim(), 2))))
    barriers = np.isin(read[:, 0], [list(OPERATIONS).index("SYNC"), list(OPERATIONS).index("EOC")])
    assert np.array_equal(read[~barriers], np.concatenate([placed(p) for p in pieces]))
    player = AimPlayer(load_aim(), 2)
    player.play(read)
    assert player.cycle == run(tiny(tokens=2), "aim", {"channels": 2}).dram.trace_cycles


def test_only_what_the_banks_hold_is_mapped_to_them() -> None:
    with pytest.raises(MappingError, match="bf16"):
        run(tiny(format="fp32"), "aim")


def llama(**fields: Any) -> DecoderWorkload:
    return tiny(**{"family": "llama", "layers": 4, "heads": 8, "kv_heads": 4, "d_ff": 96, **fields})


def test_query_heads_that_share_keys_sweep_them_one_after_the_other() -> None:
    """8 query heads over 4 heads of keys: each key meets the buffer's vector twice."""
    program = program_of(llama(tokens=1))
    step = Step(queries=1, context=1)
    scores = next(p for p in program.pieces(step) if p.name == "l0.attention.scores")
    assert isinstance(scores, AimWork)
    lines = [line.strip() for line in program.dump(step).splitlines()]
    at = next(i for i, line in enumerate(lines) if "l0.attention.scores" in line)
    buffers = [line for line in lines[at : at + len(scores.program.encoded) + 1] if "WR_GB" in line]
    assert buffers == ["AiM WR_GB 4 0 0x80000000"] * 2


def test_a_gate_is_activated_by_af_where_it_can() -> None:
    by_host, by_af = (run(llama(), "aim", {"af_functions": functions}) for functions in ([], ["silu"]))
    assert {part.kind for part in by_host.breakdown} - {part.kind for part in by_af.breakdown} == {"glu"}
    assert by_af.dram.commands["RDAF16"] > 0


@pytest.mark.parametrize(("tensor", "pipeline"), [(1, 2), (2, 1), (2, 2)])
def test_several_devices_sweep_what_one_does(tensor: int, pipeline: int) -> None:
    spec = {"devices": tensor * pipeline, "tensor_parallel": tensor, "pipeline_parallel": pipeline}
    workload = llama(d_model=1024, d_ff=2048)  # outputs fill all banks of both
    one, several = run(workload, "aim"), run(workload, "aim", spec)
    assert several.dram.commands["MAC16"] == one.dram.commands["MAC16"]
    assert several.devices is not None
    assert several.devices.simulated == pipeline
    distance = sum(part.seconds for part in several.bound.distance)
    assert several.bound.lower_bound_s + distance == pytest.approx(several.latency_s)
    # time follows a token through the stages, however many devices a stage has
    assert several.dram.trace_cycles == several.units[0].busy_cycles


def test_a_trace_is_of_one_device(tmp_path: Path) -> None:
    spec = {"devices": 2, "tensor_parallel": 2}
    with pytest.raises(MachineError, match="a trace is that of one device, and devices is 2"):
        run_in_detail(llama(), "aim", spec, emit=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
