"""benchmarks/gpu_decode.py: its sizes, and where torch is installed its arithmetic and a run on the CPU."""

import ast
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hwsim import load_workload

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu_decode.py"


def test_the_sizes_are_those_of_the_workloads() -> None:
    calls = [node for node in ast.walk(ast.parse(SCRIPT.read_text())) if isinstance(node, ast.Call)]
    literal = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Dims"]
    sizes = [{k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)} for call in literal]
    named = {str(entry.pop("name")): entry for entry in sizes if "name" in entry}
    assert len(named) == 8
    for name, own in named.items():
        workload = load_workload(name)
        assert own == {
            "layers": workload.model.layers,
            "d_model": workload.model.d_model,
            "heads": workload.model.heads,
        }
        assert (workload.model.vocab, workload.model.ff_size, workload.run.context) == (
            50257,
            4 * workload.model.d_model,
            1024,
        )


@pytest.fixture
def script() -> ModuleType:
    pytest.importorskip("torch", reason="the GPU benchmark needs torch, which hwsim does not")
    spec = importlib.util.spec_from_file_location("gpu_decode", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu_decode"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def full_attention(model: Any, ids: Any) -> Any:
    """Logits of all positions at once, with a causal mask in place of a cache."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    count, d = len(ids), model.d
    x = model.embedding[ids] + model.positions[:count]
    hidden = torch.ones(count, count).triu(1).bool()
    for layer in model.model.layers:
        qkv = F.linear(F.layer_norm(x, (d,), *layer.norms[0]), *layer.qkv)
        q, k, v = (part.view(count, layer.heads, -1).transpose(0, 1) for part in qkv.chunk(3, -1))
        scores = (q @ k.transpose(-1, -2)) / layer.head_size**0.5
        attended = scores.masked_fill(hidden, -1e30).softmax(-1) @ v
        x = x + F.linear(attended.transpose(0, 1).reshape(count, d), *layer.proj)
        middle = F.gelu(F.linear(F.layer_norm(x, (d,), *layer.norms[1]), *layer.ffn1), approximate="tanh")
        x = x + F.linear(middle, *layer.ffn2)
    return F.linear(F.layer_norm(x, (d,), *model.model.norm), model.embedding)


def test_decode_token_by_token_equals_full_attention(script: ModuleType) -> None:
    import torch

    with torch.inference_mode():
        dims = script.Dims(name="tiny", layers=2, d_model=32, heads=4, vocab=50)
        model = script.Model(dims, 8, torch.device("cpu"), torch.float32)
        ids = torch.randint(0, 50, (6,), generator=torch.Generator().manual_seed(1))
        steps = []
        for context in range(1, 7):
            model.token = ids[context - 1 : context]
            steps.append(model.whole(context))
        torch.testing.assert_close(torch.cat(steps), full_attention(model, ids))


def test_a_smoke_run_on_the_cpu(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made.json"
    options = "--device cpu --dims tiny=2,64,4,100 --contexts 1,8 --repeats 5 --out"
    monkeypatch.setattr(sys, "argv", ["gpu_decode.py", *options.split(), str(out)])
    script.main()
    made = json.loads(out.read_text())
    (tiny,) = made["models"]
    assert [(run["part"], run["mode"], run["context"]) for run in tiny["runs"]] == [
        ("blocks", "eager", 1), ("blocks", "eager", 8), ("whole", "eager", 1), ("whole", "eager", 8),
    ]  # fmt: skip
    assert "tiny" in capsys.readouterr().out


def test_the_mean_over_contexts_is_the_area_under_the_points(script: ModuleType) -> None:
    assert script.trapezoid_mean([(1, 2.0), (3, 4.0), (11, 4.0)]) == pytest.approx((2 * 3 + 8 * 4) / 10)
