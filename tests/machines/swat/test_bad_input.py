"""What a user can get wrong with the machine swat: one clear line on stderr, status 2, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwsim.cli import main

CAPTURE = pytest.CaptureFixture[str]
FAMILIES = "kernel, long_context, modernbert, bert, vit, hat, swin"


def error_of(arguments: list[str], capsys: CAPTURE) -> str:
    """The one line of a command that fails."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hwsim: error: ")
    assert err.count("\n") == 1
    return err.removeprefix("hwsim: error: ").rstrip("\n")


def run(*settings: str, workload: str = "swat_kernel", tokens: int | None = 64) -> list[str]:
    """A run of a head of 64 tokens."""
    length = [] if tokens is None else ["--tokens", str(tokens)]
    return ["run", workload, "--machine", "swat", *length, *(part for each in settings for part in ("--set", each))]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["cores=0"], "swat: cores: input should be greater than or equal to 1, got 0"),
        (["cores=many"], "swat: cores: input should be a valid integer, got 'many'"),
        (["head_dim=0"], "swat: head_dim: input should be greater than or equal to 1, got 0"),
        (["head_dim=1.5"], "swat: head_dim: input should be a valid integer, got 1.5"),
        (["pipelines=0"], "swat: pipelines: input should be greater than or equal to 1, got 0"),
        (["loaders=65"], "swat: loaders: input should be less than or equal to 64, got 65"),
        (["reduction_group=0"], "swat: reduction_group: input should be greater than or equal to 1, got 0"),
        (["qk_interval=0"], "swat: qk_interval: input should be greater than or equal to 1, got 0"),
        (["sv_interval=-2"], "swat: sv_interval: input should be greater than or equal to 1, got -2"),
        (["load_latency=-1"], "swat: load_latency: input should be greater than or equal to 0, got -1"),
        (["mode=fast"], "swat: mode: input should be 'lockstep' or 'elastic', got 'fast'"),
        (["softmax=online"], "swat: softmax: input should be 'plain' or 'safe', got 'online'"),
        (["window=near"], "swat: window: input should be 'exact' or 'published', got 'near'"),
        (["prologue=none"], "swat: prologue: input should be 'hidden' or 'counted', got 'none'"),
        (["companion=vector"], "swat: companion: input should be 'matrix' or 'none', got 'vector'"),
        (["format=fp8"], "format: expected one of fp16, fp32, got 'fp8'"),
        (["sum_format=bf16"], "swat: sum_format: input should be 'fp16' or 'fp32', got 'bf16'"),
        (["board=zcu106"], "swat: board: no such board as 'zcu106'; nearest: zcu104, zcu102"),
        (["core=3"], "--set core: no such parameter; nearest: cores, vector.lanes, mode"),
        (["hbm.burst=3"], "--set hbm.burst: no such parameter; nearest: hbm.burst_bytes, hbm.request_ns, hbm.refresh"),
        (["energy=off", "energy_table.dsp_pj=3"], "energy_table.dsp_pj is set, but energy is off"),
    ],
    ids=str,
)
def test_parameters(settings: list[str], message: str, capsys: CAPTURE) -> None:
    assert error_of(run(*settings), capsys) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["pipelines=5"], "swat: pipelines: 5 take 25 channels of HBM and the companion 12, and there are 32"),
        (["pipelines=7", "companion=none"], "swat: pipelines: 7 take 35 channels of HBM, and there are 32"),
        (["hbm.channels=4", "companion=none"], "swat: pipelines: 1 take 5 channels of HBM, and there are 4"),
        (["matrix.channels=40"], "swat: pipelines: 1 take 5 channels of HBM and the companion 44, and there are 32"),
        (
            ["hbm.burst_bytes=1000"],
            "hbm: bursts on hbm2_u55c: block_bytes must be a multiple of an access of 32 B, got 1000",
        ),
        (
            ["hbm.burst_bytes=384"],
            "hbm: bursts on hbm2_u55c: mapping RoBaRaCoBgCh does not lay out all blocks of 384 B alike",
        ),
        (["hbm.burst_bytes=64"], "swat: hbm.burst_bytes: a burst of 64 B does not hold a row of 128 B"),
        (["hbm.burst_bytes=128"], "swat: hbm.burst_bytes: a burst of 128 B does not hold a partial row of 288 B"),
        (["head_dim=600"], "swat: hbm.burst_bytes: a burst of 2048 B does not hold a partial row of 2432 B"),
        (
            ["hbm.request_ns=0.1", "hbm.response_ns=0.1"],
            "hbm: DMA engine on hbm2_u55c: request_ns 0.1 and response_ns 0.1 are 2 cycles of the memory, which needs "
            "28 to settle between bursts",
        ),
        (["hbm.request_ns=0"], "swat: hbm.request_ns: input should be greater than 0, got 0"),
        (
            ["hbm.standard=hbm_pim"],
            "hbm: bursts on hbm_pim: has no RDA and WRA, so its rows cannot be closed by an access",
        ),
        (["hbm.standard=none.yaml"], "hbm: none.yaml: no such file"),
        (
            ["hbm.timing.tRCD_ns=14"],
            "hbm: standard hbm2_u55c: no timing parameter 'tRCD_ns'; nearest: tRCDWR_ns, tRCDRD_ns, tRFC_ns",
        ),
        (
            ["hbm.timing.tREFI_ns=100"],
            "hbm: standard hbm2_u55c: refresh every 90 cycles leaves no time for work, "
            "a refresh and one row take up to 313",
        ),
        (
            ["clock_hz=233333333"],
            "clocks fabric 2.33333e+08 Hz, memory 9e+08 Hz have no common multiple below 1e+17 Hz",
        ),
        (
            ["matrix.dsps=31"],
            "matrix.dsps: 31 make no column of 8 multiply-accumulates, of which each takes 4 DSPs in fp16; expected at "
            "least 32",
        ),
        (["matrix.rows=1"], "matrix.rows: 1 rows of a tile do not spread evenly over 8 channels"),
    ],
    ids=str,
)
def test_memory_and_units_that_do_not_go_together(settings: list[str], message: str, capsys: CAPTURE) -> None:
    assert error_of(run(*settings), capsys) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["head_dim=128"], "swat: attention: heads have 128 elements, cores hold 64; --set head_dim=128 widens them"),
        (["value_dim=32"], "swat: attention: a core holds a key and a value of one size, not of 64 and 32 elements"),
        (
            ["format=bf16"],
            "swat: attention: q is bf16, the cores compute in fp16; --set workload.format=fp16 makes them agree",
        ),
        (
            ["format=fp32"],
            "swat: attention: q is fp32, the cores compute in fp16; --set format=fp32 or --set workload.format=fp16 "
            "makes them agree",
        ),
        (
            ["pattern=after(64, causal)"],
            "swat: attention: none of 64 queries sees a key by after(64, causal); nothing to compute",
        ),
    ],
    ids=str,
)
def test_heads_that_the_cores_cannot_compute(settings: list[str], message: str, capsys: CAPTURE) -> None:
    assert error_of(run(*(f"workload.{each}" for each in settings)), capsys) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["head_dim=0"], "head_dim: input should be greater than or equal to 1, got 0"),
        (["pattern=global(65)"], "global(65): needs at least 65 tokens, got 64"),
        (["pattern=global(positions=(64))"], "global(positions=(64)): needs at least 65 tokens, got 64"),
        (
            ["pattern=random_blocks(3, 16, seed=0)"],
            "random_blocks(3, 16, seed=0): block 2 of 4 finds 0 that are not near, first or last, needs 3",
        ),
        (["pattern=segment(7)"], "segment(7): 64 tokens are no whole number of segments of 7"),
        (["pattern=windo(3, 0)"], "pattern 'windo(3, 0)', character 1: no kind 'windo'; nearest: window, window2d"),
        (
            ["source=32"],
            "window(256, 255): goes by positions, which 64 queries of another sequence do not have among 32 keys; "
            "cross-attention takes full, strided or memory_slots",
        ),
        (["kv_heads=3", "heads=4"], "4 heads do not share 3 kv_heads evenly"),
    ],
    ids=str,
)
def test_workloads(settings: list[str], message: str, capsys: CAPTURE) -> None:
    """The line begins with the workload's file."""
    error = error_of(run(*(f"workload.{each}" for each in settings)), capsys)
    assert error.endswith(f"swat_kernel.yaml: {message}")


@pytest.mark.parametrize(("workload", "family"), [("gpt2", "gpt"), ("llama2_7b", "llama"), ("m3vit_tiny", "moe_vit")])
@pytest.mark.parametrize("companion", ["matrix", "none"])
def test_models_that_are_no_whole_sequences(workload: str, family: str, companion: str, capsys: CAPTURE) -> None:
    """Nor is their attention alone: a cache of keys, or experts, would be left out without a word."""
    arguments = run(f"companion={companion}", "workload.format=fp16", workload=workload, tokens=None)
    assert error_of(arguments, capsys) == (
        f"swat: runs whole sequences (families {FAMILIES}); {workload} is of family {family}"
    )


@pytest.mark.parametrize("companion", ["matrix", "none"])
def test_a_model_without_attention(companion: str, tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "matrix.yaml"
    sizes = "name: matrix\nfamily: kernel\noperator: linear\nwidth: 64\nd_out: 64\n"
    file.write_text(f"{sizes}provenance: {{grade: A, source: a test}}\n")
    arguments = ["run", str(file), "--machine", "swat", "--set", f"companion={companion}"]
    assert error_of(arguments, capsys) == "swat: matrix has no attention, which is what this machine is for"


def test_other_machines_do_not_run_a_kernel_of_swat(capsys: CAPTURE) -> None:
    assert error_of(["run", "swat_kernel", "--machine", "edge_moe"], capsys) == (
        "swat_kernel: edge_moe runs encoders of images, not kernel"
    )


def test_there_are_no_instructions_to_write(capsys: CAPTURE) -> None:
    assert error_of([*run(), "--emit-trace", "a.trace"], capsys) == (
        "swat: has no instruction trace to write (--emit-trace)"
    )


def test_what_does_not_fit_is_a_warning_unless_it_must_fit(capsys: CAPTURE) -> None:
    lacks = (
        "swat: does not fit u55c: lacks 1,458,133 LUT (2,761,813 of 1,303,680), 409,411 FF (3,016,771 of 2,607,360), "
        "30,286 DSP (39,310 of 9,024), 2,080 BRAM36 (4,096 of 2,016)"
    )
    assert error_of([*run("cores=4096"), "--strict-fit"], capsys) == lacks
    assert main([*run("cores=4096"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", f"hwsim: warning: {lacks}\n")


# --- what looks wrong and works: every window can be split


@pytest.mark.parametrize(
    "settings",
    [
        ["cores=1"],
        ["cores=3", "workload.pattern=window(20, 20)"],
        ["reduction_group=16384"],
        ["loaders=64", "cores=2", "workload.pattern=window(3, 3)"],
        ["workload.pattern=random_blocks(1, 7, seed=0)"],
        ["hbm.request_ns=1"],
        ["companion=null"],
        ["clock_hz=3e8"],
        ["hbm.standard=ddr4"],
    ],
    ids=str,
)
def test_what_is_odd_and_works(settings: list[str], capsys: CAPTURE) -> None:
    assert main([*run(*settings), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
