"""PIM-GPT as a whole: against the reference player, against laws, against its paper's figures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwsim import load_workload, run
from hwsim.dram.in_order.package import channel_requests
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.errors import MachineError, MappingError, UserError
from hwsim.machines.find import load_machine
from hwsim.machines.pim_gpt import MACHINE
from hwsim.machines.pim_gpt.energy import count_actions
from hwsim.machines.pim_gpt.instructions import AsicWork, PimWork, Program
from hwsim.machines.pim_gpt.model import simulate
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.parameters.nested import unflatten
from hwsim.parameters.variants import VariantSpecFile
from hwsim.pipeline import prepare
from hwsim.report.schema import Report
from tests.dram.in_order.test_package import open_cycles_of
from tests.machines.strategies import SMALL_MACHINES, SMALL_MODELS
from tests.mapping.workloads import tiny

MODELS = ("gpt2", "gpt2_medium", "gpt2_large", "gpt2_xl", "gpt3_small", "gpt3_medium", "gpt3_large", "gpt3_xl")
# Lower bounds for 1,024 tokens in ms, calculated independently of this code (weights row by row, attention, V writes).
BOUNDS_MS = {
    "gpt2": 69.3, "gpt2_medium": 235.7, "gpt2_large": 540.5, "gpt2_xl": 1128.0,
    "gpt3_small": 69.3, "gpt3_medium": 235.7, "gpt3_large": 509.5, "gpt3_xl": 886.7,
}  # fmt: skip


def program_of(workload: DecoderWorkload, settings: dict[str, Any]) -> Program:
    program = prepare(workload, settings=settings).program
    assert isinstance(program, Program)
    return program


def replay(program: Program) -> tuple[int, list[ReferenceChannel]]:
    """Replay the paper's schedule without SimPy, with the reference player; return end in ticks and channels."""
    spec = program.spec
    dram, asic = spec.time_base.clocks["dram"], spec.time_base.clocks["asic"]
    channels = [ReferenceChannel(spec.standard) for _ in range(spec.channels)]
    now = 0
    for step in program.steps():
        for instruction in program.instructions(step):
            work = instruction.work
            clock = dram if isinstance(work, PimWork) else asic
            start = clock.edge(now)
            if isinstance(work, PimWork):
                ends = []
                for index, channel in enumerate(channels):
                    requests = channel_requests(work.program, index, spec.standard)
                    moved = [replace(r, row=r.row + instruction.row_base) for r in requests]
                    ends.append(channel.play(moved, start))
                now = clock.ticks(max(ends))
            else:
                assert isinstance(work, AsicWork)
                now = clock.ticks(start + work.cycles)
    return now, channels


@given(fields=SMALL_MODELS, machine=SMALL_MACHINES)
@settings(max_examples=12)
def test_a_run_equals_the_reference_player_to_the_tick(fields: dict[str, Any], machine: dict[str, Any]) -> None:
    program = program_of(tiny(**fields), machine)
    finished = simulate(program)
    end, channels = replay(program)
    assert finished.ticks == end
    totals: dict[str, int] = {}
    for channel in channels:
        for name, count in channel.counts.items():
            totals[name] = totals.get(name, 0) + count
    assert finished.pim.package.counts == totals
    assert finished.pim.package.row_hits == sum(channel.row_hits for channel in channels)


@given(
    context=st.integers(1, 300),
    d_model=st.sampled_from([48, 80, 256]),
    channels=st.sampled_from([1, 4, 8]),
    refresh=st.booleans(),
)
@settings(max_examples=15)
def test_no_run_is_faster_than_its_bound(context: int, d_model: int, channels: int, refresh: bool) -> None:
    report = run(tiny(tokens=context, d_model=d_model), settings={"channels": channels, "refresh": refresh})
    assert report.bound.ratio >= 1
    parts = sum(part.seconds for part in report.bound.distance)
    assert report.bound.lower_bound_s + parts == pytest.approx(report.latency_s, rel=1e-12)


@pytest.fixture(scope="module")
def gpt2() -> Report:
    return run(load_workload("gpt2"))


def check_figures(report: Report) -> None:
    assert report.bound.lower_bound_s * 1e3 == pytest.approx(BOUNDS_MS[report.workload], rel=0.03)
    assert 1 <= report.bound.ratio <= 1.6
    assert 0.95 <= report.dram.row_hit_rate <= 63 / 64
    assert sum(part.cycles for part in report.breakdown) == pytest.approx(report.cycles, rel=1e-3)
    assert sum(part.share for part in report.breakdown) == pytest.approx(1, abs=1e-3)


def test_gpt2_lies_within_its_figures(gpt2: Report) -> None:
    check_figures(gpt2)
    assert gpt2.instructions == 1024 * 12 * 18  # 14 of the paper's order and 4 sums of parts and biases
    assert [entry.context for entry in gpt2.decoding.token_latencies] == [1, 512, 1024]
    assert (
        gpt2.memory("banks").holding("weights") == 84_934_656 * 2 + 12 * 2 * 128 * 1024
    )  # half a row of 2 matrices a layer


def test_gpt2_reads_each_weight_once_a_token(gpt2: Report) -> None:
    commands = gpt2.dram.commands
    weight_columns = 1024 * 84_934_656 // 16 // 16  # 16 weights a column, 16 banks a command
    keys = 8 * 12 * 48 * sum(-(-t // 128) for t in range(1, 1025))  # all channels count, not only the fullest
    values = 12 * 48 * sum(-(-t // 16) for t in range(1, 1025))
    assert weight_columns + values < commands["MAC16"] <= weight_columns + values + keys
    assert commands["WR"] == 1024 * 12 * 48
    assert commands["WRA16"] == 1024 * 12 * 48


def test_the_same_run_gives_the_same_bytes() -> None:
    workload = load_workload("gpt2", tokens=3)
    assert run(workload).to_json() == run(workload).to_json()


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_each_model_of_the_paper_lies_within_its_figures(model: str) -> None:
    check_figures(run(load_workload(model)))


@pytest.mark.parametrize("model", [model for model in MODELS if model != "gpt2"])
def test_each_model_of_the_paper_runs_some_tokens(model: str) -> None:
    report = run(load_workload(model, tokens=24))
    assert 1 <= report.bound.ratio <= 1.6
    assert report.memory("banks").used_bytes <= report.memory("banks").size_bytes


@pytest.mark.parametrize(
    ("setting", "slower"),
    [
        ({"channels": 4}, True),
        ({"channels": 16}, False),
        ({"timing.tRCD_ns": 14}, True),
        ({"pin_rate_gbps": 2}, True),
        ({"asic.clock_hz": 100_000_000}, True),
        ({"asic.adders": 64, "asic.multipliers": 32}, True),
        ({"mac_lanes": 8}, True),
        ({"asic.taylor_terms": 2}, False),
        ({"asic.sram_width_bytes": 16}, True),
    ],
)
def test_parameters_move_latency_the_way_they_must(setting: dict[str, Any], slower: bool) -> None:
    workload = load_workload("gpt2", tokens=4)
    # without refresh: a layer takes about one refresh interval, so with refresh the two stay in step and hide small
    # changes
    usual, changed = (run(workload, settings={"refresh": False, **s}) for s in ({}, setting))
    assert (changed.latency_s > usual.latency_s) == slower
    assert changed.latency_s != usual.latency_s


def test_refresh_costs_time() -> None:
    workload = load_workload("gpt2", tokens=32)
    assert run(workload, settings={"refresh": False}).latency_s < run(workload).latency_s


def test_mac_units_wider_than_a_column_gain_nothing() -> None:
    workload = load_workload("gpt2", tokens=2)
    assert run(workload, settings={"mac_lanes": 64}).cycles == run(workload).cycles


def test_prefill_goes_token_by_token_like_decode() -> None:
    prefill = run(load_workload("gpt2", phase="prefill", prompt=8))
    decode = run(load_workload("gpt2", tokens=8))
    assert prefill.cycles == decode.cycles
    assert prefill.decoding.time_to_first_token_s == prefill.latency_s


def test_row_reuse_saves_activates_where_the_buffer_holds_several_vectors() -> None:
    workload = load_workload("gpt2", phase="prefill", prompt=8)
    token = run(workload, settings={"buffer_bytes": 16384})
    reuse = run(workload, settings={"buffer_bytes": 16384, "batching": "row_reuse"})
    assert reuse.dram.commands["ACT16"] < token.dram.commands["ACT16"] / 2
    assert reuse.dram.commands["MAC16"] == token.dram.commands["MAC16"]
    assert reuse.latency_s < token.latency_s
    # with the paper's buffer of one row there is no room for a second vector of 768
    assert run(workload, settings={"batching": "row_reuse"}).cycles == run(workload).cycles


def test_a_prompt_delays_the_first_token() -> None:
    report = run(load_workload("gpt2", prompt=4, tokens=4))
    alone = run(load_workload("gpt2", tokens=8))
    assert report.latency_s == alone.latency_s
    assert report.decoding.time_to_first_token_s > 4.85 * alone.decoding.time_to_first_token_s
    assert report.decoding.tokens_per_s == pytest.approx(
        4 / (report.latency_s - run(load_workload("gpt2", tokens=4)).latency_s)
    )


def test_a_run_from_a_filled_cache_is_the_end_of_a_longer_one() -> None:
    still = {"refresh": False}  # in a run that begins later refreshes come at other places
    whole = run(tiny(tokens=130), settings=still)
    rest = run(tiny(past=128, tokens=2), settings=still)
    assert [entry.context for entry in rest.decoding.token_latencies] == [129, 130]
    assert rest.decoding.token_latencies[-1] == whole.decoding.token_latencies[-1]
    assert whole.memory("banks").holding("cache") == rest.memory("banks").holding("cache")
    assert rest.decoding.tokens_per_s == pytest.approx(2 / rest.latency_s)


def test_a_batch_takes_its_vectors_one_after_the_other() -> None:
    still = {"refresh": False}
    one = run(load_workload("gpt2", tokens=2), settings=still)
    two = run(load_workload("gpt2", tokens=2, batch=2), settings=still)
    assert 1.95 < two.latency_s / one.latency_s < 2.0
    assert two.memory("banks").holding("cache") == 2 * one.memory("banks").holding("cache")


def test_the_vocabulary_projection_costs_what_the_report_says() -> None:
    excluded = run(load_workload("gpt2", tokens=4))
    (cost,) = excluded.excluded
    pim = run(load_workload("gpt2", tokens=4, lm_head="included"))
    host = run(load_workload("gpt2", tokens=4, lm_head="included"), settings={"lm_head": "host"})
    added = (pim.latency_s - excluded.latency_s) / 4
    assert added == pytest.approx(cost.seconds_per_unit, rel=0.12)  # the estimate has no refresh
    assert host.bytes_over("host_link") == 4 * (768 * 2 + 4) + 4 * 768 * 2
    assert pim.bytes_over("host_link") == 4 * 768 * 2 + 4 * 4
    assert not pim.excluded
    assert (excluded.decoding.lm_head, pim.decoding.lm_head, host.decoding.lm_head) == ("excluded", "pim", "host")


def test_inner_tokens_of_a_prompt_need_no_projection() -> None:
    decode = run(load_workload("gpt2", prompt=3, tokens=1, lm_head="included"))
    assert decode.bytes_over("host_link") == 4 * 768 * 2 + 1 * 4
    prefill = run(load_workload("gpt2", phase="prefill", prompt=4, lm_head="included"))
    assert prefill.cycles == decode.cycles


def test_a_window_keeps_attention_short() -> None:
    whole = run(tiny(tokens=400))
    window = run(tiny(tokens=400, attention="window", window=31))
    assert window.dram.commands["MAC16"] < whole.dram.commands["MAC16"]
    assert window.latency_s < whole.latency_s


def test_scores_that_exceed_the_sram_go_in_head_groups() -> None:
    workload = tiny(tokens=600, heads=4)
    small = {"asic.sram_bytes": 7_000}
    program = program_of(workload, small)
    last = list(program.steps())[-1]
    attention = ["attention_scores", "softmax", "attention_values"]
    assert [i.kind for i in program.instructions(last) if i.kind in attention] == attention * 2
    assert run(workload, settings=small).latency_s > run(workload).latency_s


def test_a_head_whose_scores_exceed_the_sram_is_an_error() -> None:
    with pytest.raises(MappingError, match=r"one head's scores over 600 tokens 2400 B, the ASIC's SRAM holds 2500 B"):
        run(tiny(tokens=600), settings={"asic.sram_bytes": 2_500})


def test_dimensions_that_divide_by_nothing_run() -> None:
    report = run(tiny(d_model=51, heads=3, d_ff=77, tokens=3), settings={"channels": 3})
    assert report.memory("banks").padding_bytes > 0
    assert report.bound.ratio >= 1


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"chanels": 4}, r"--set chanels: no such parameter; nearest: channels"),
        ({"timing.tRDC_ns": 4}, r"no such parameter; nearest: .*timing\.tRCD_ns"),
        ({"timing.tBL_ns": 4}, r"no such parameter"),
        ({"channels": 0}, r"channels: input should be greater than or equal to 1, got 0"),
        ({"channels": "eight"}, r"channels: input should be a valid integer"),
        ({"banks": 32}, r"banks: input should be less than or equal to 16, got 32"),
        ({"banks": 6}, r"6 banks do not divide into 4 bank groups"),
        ({"buffer_bytes": 3000}, r"buffer_bytes 3000 must be a multiple of access_bytes 32"),
        ({"timing.tREFI_ns": 400}, r"leaves no time for work"),
        ({"timing.tRCD_ns": -1}, r"timing\.tRCD_ns must be a number from 0"),
        ({"asic.clock_hz": 999_999_937}, r"no common multiple"),
        ({"energy_table": 3}, r"--set energy_table: no such parameter"),
        ({"energy_table.vdd_v": "x"}, r"energy_table\.vdd_v: input should be a valid number"),
        ({"energy": "off", "energy_table.vdd_v": 1}, r"energy_table\.vdd_v is set, but energy is off"),
        ({"asic.internal": "fp64"}, r"asic\.internal: no number format 'fp64'"),
    ],
)
def test_a_wrong_parameter_is_one_line(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(MachineError, match=message) as caught:
        run(tiny(), settings=settings_)
    assert "\n" not in str(caught.value)


def test_overridden_parameters_are_no_longer_unconfirmed() -> None:
    names = {entry.name for entry in run(tiny(tokens=1)).unconfirmed}
    assert {"timing.tRCD_ns", "buffer_bytes", "asic.adders"} <= names
    assert "channels" not in names  # read in an account of the paper
    after = {entry.name for entry in run(tiny(tokens=1), settings={"timing.tRCD_ns": 14}).unconfirmed}
    assert names - after == {"timing.tRCD_ns"}


@pytest.mark.parametrize("dram", ["pim_gpt", "hbm2_newton", "hbm_pim"])
def test_every_parameter_has_its_provenance(dram: str) -> None:
    variants = MACHINE.spec_file
    assert isinstance(variants, VariantSpecFile)
    file = variants.variants[dram]
    assert set(file.keys()) - set(file.provenance) - {"energy"} == {
        "name", "refresh", "dram", "devices", "tensor_parallel", "pipeline_parallel",
    }  # fmt: skip
    assert set(file.provenance) <= set(file.keys())


def test_the_program_of_a_tiny_step_reads_like_this() -> None:
    workload = tiny(tokens=2)
    program = program_of(workload, {})
    dump = program.dump(list(workload.steps())[-1]).splitlines()
    assert dump[0] == "program tiny: step of 1 at 2"
    assert dump[1] == "asic l0.norm1 (norm): 26 cycles, 258 adds, 197 multiplies"
    assert dump[2:6] == [
        "pim  l0.qkv (linear): rows from 0, bound 64 DRAM cycles, programs [0, 0, 0, 0, 0, 0, 0, 0]",
        "       WRGB x 4",
        "       MAC16 row 0 column 0 x 8",
        "       RDMAC16 x 2",
    ]


@pytest.mark.parametrize("table", ["paper", "aim", "dramsim3"])
def test_energy_by_component_adds_up(table: str) -> None:
    report = run(load_workload("gpt2", tokens=4, prompt=2), settings={"energy": table})
    energy = report.energy
    assert energy is not None
    assert report.energy_j == energy.joules == pytest.approx(sum(part.joules for part in energy.components), rel=1e-12)
    assert sum(part.share for part in energy.components) == pytest.approx(1)
    assert energy.joules_per_unit == pytest.approx(energy.joules / 6)
    assert energy.mean_power_w == pytest.approx(energy.joules / report.latency_s)
    assert energy.joules_per_mac == pytest.approx(energy.joules / (report.dram.commands["MAC16"] * 256))
    # standby lies between that of closed rows and that of open rows
    background = energy.components[0].joules / report.latency_s / 8
    low, high = {"paper": (0.115, 0.1775), "aim": (0.18315, 0.26375), "dramsim3": (0.081, 0.08235)}[table]
    assert low < background < high


def test_energy_off_is_null_and_changes_nothing_else() -> None:
    usual, off = (run(load_workload("gpt2", tokens=2), settings=[f"energy={name}"]) for name in ("aim", "off"))
    assert (off.energy_j, off.energy) == (None, None)
    different = {"energy_j", "energy", "unconfirmed", "parameters", "published"}
    assert usual.model_dump(exclude=different) == off.model_dump(exclude=different)
    others = [[p for p in report.published if not p.name.startswith("energy")] for report in (usual, off)]
    assert others[0] == others[1]


def test_tokens_that_lay_in_the_cache_before_take_no_share_of_the_energy() -> None:
    energy = run(tiny(tokens=2, prompt=1, past=20, n_ctx=64)).energy
    assert energy is not None
    assert energy.joules_per_unit == pytest.approx(energy.joules / 3)


def test_the_counts_behind_energy_equal_those_of_the_reference_logs() -> None:
    program = program_of(tiny(tokens=4), {"timing.tREFI_ns": 900})
    finished = simulate(program)
    end, channels = replay(program)
    counts = count_actions(finished)
    standard = program.spec.standard
    opened = {name: standard.banks_below(standard.commands[name].scope) for name in ("ACT", "ACT16")}
    assert counts.activates == sum(opened.get(entry.command, 0) for channel in channels for entry in channel.log)
    until = -(-end // finished.pim.clock.period_ticks)
    each = [open_cycles_of(channel.log, standard, until) for channel in channels]
    recovery = (6 + 2 + 24) * finished.pim.package.counts["WRA16"]  # it closes its row after nCWL + nBL + nWR
    cycles = sum(rows.channels for rows in each) + recovery
    assert counts.open_channel_seconds == pytest.approx(cycles / 2e9, rel=1e-12)
    bank_cycles = sum(rows.banks for rows in each) + 16 * recovery
    assert counts.open_bank_seconds == pytest.approx(bank_cycles / 2e9, rel=1e-12)


def test_coefficients_of_the_energy_table_are_unconfirmed_until_set() -> None:
    usual = run(tiny(tokens=1))
    assert "energy_table.io_pj_per_bit" in {entry.name for entry in usual.unconfirmed}
    changed = run(tiny(tokens=1), settings={"energy_table.io_pj_per_bit": 11})
    assert "energy_table.io_pj_per_bit" not in {entry.name for entry in changed.unconfirmed}
    assert usual.energy is not None
    assert changed.energy is not None
    one, two = ({c.component: c.joules for c in report.energy.components} for report in (usual, changed))
    assert two["dram_io"] == pytest.approx(2 * one["dram_io"])


def test_a_printed_machine_keeps_its_energy_table(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MACHINE.spec_file.dump(MACHINE.spec_file.load(None, {"energy_table.vdd_v": 1.35})))
    assert load_machine(str(file), {})[1].energy_table == {"vdd_v": 1.35}
    file.write_text(MACHINE.spec_file.dump(MACHINE.spec_file.load(None, {"energy": "off"})))
    assert load_machine(str(file), {})[1].energy == "off"


machine_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=4,
)


@given(changes=st.dictionaries(st.sampled_from(MACHINE.spec_file.keys()), machine_values, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_give_a_machine_or_one_line(tmp_path: Path, changes: dict[str, Any]) -> None:
    file = tmp_path / "fuzz.yaml"
    file.write_text(yaml.safe_dump(unflatten({"model": "pim_gpt", **changes})))
    complaint = ""
    try:
        load_machine(str(file), {})
    except UserError as cause:
        complaint = str(cause)
    assert "\n" not in complaint


def test_results_in_fp32_take_two_transfers() -> None:
    # 16 banks x 2 bytes fill a transfer of 32; with 8 banks one transfer still carries all results
    def reads(**settings: Any) -> int:
        return run(tiny(), settings=settings).dram.commands["RDMAC16"]

    assert reads(mac_output="fp32") == 2 * reads()
    assert reads(mac_output="fp32", banks=8) == reads(banks=8)


def test_units_say_what_their_contracts_say() -> None:
    program = program_of(tiny(tokens=1), {"channels": 3})
    spec, done = program.spec, simulate(program)
    assert (done.asic.contract, done.asic.proven) == (spec.vector_unit, spec.vector_unit.proven)
    assert (done.pim.contract, done.pim.copies) == (None, 3)
    told = {unit.name: (unit.source, unit.proven) for unit in run(tiny(tokens=1), settings={"channels": 3}).units}
    assert told["asic"] == ("operation counts of the PIM-GPT paper's algorithms on its adders and multipliers", False)
    assert told["pim"] == ("DRAM engine, standard pim_gpt", False)
