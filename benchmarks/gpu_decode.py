"""Time GPT decode token by token on a real GPU with PyTorch, and measure the GPU's own limits.

python benchmarks/gpu_decode.py --out FILE.json [MODEL ...]

Only the shapes matter, so the weights are random. A token is measured at several contexts, in eager mode and as a
CUDA graph; attention reads exactly `context` keys from a static cache. "blocks" is the layers alone, "whole" adds the
embedding, the final norm and the vocabulary projection (no sampling). Needs torch and nothing of hwsim, so that the
file can be copied to a machine with a GPU.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

try:
    import torch
    import torch.nn.functional as F  # noqa: N812
except ModuleNotFoundError:
    sys.exit("gpu_decode: needs PyTorch on a machine with a GPU; install it with: pip install torch")

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


@dataclass(frozen=True, kw_only=True)
class Dims:
    """Sizes of a GPT-2-like model; the hidden layer of the MLP is 4 x d_model wide."""

    name: str
    layers: int
    d_model: int
    heads: int
    vocab: int = 50257


# The sizes of workloads/*.yaml (a test holds them equal): this file has to run where hwsim is not installed.
MODELS = {
    dims.name: dims
    for dims in (
        Dims(name="gpt2", layers=12, d_model=768, heads=12),
        Dims(name="gpt2_medium", layers=24, d_model=1024, heads=16),
        Dims(name="gpt2_large", layers=36, d_model=1280, heads=20),
        Dims(name="gpt2_xl", layers=48, d_model=1600, heads=25),
        Dims(name="gpt3_small", layers=12, d_model=768, heads=12),
        Dims(name="gpt3_medium", layers=24, d_model=1024, heads=16),
        Dims(name="gpt3_large", layers=24, d_model=1536, heads=16),
        Dims(name="gpt3_xl", layers=24, d_model=2048, heads=16),
    )
}


class Layer:
    """Weights and KV cache of one block, and its step for one token."""

    def __init__(self, dims: Dims, positions: int, device: torch.device, dtype: torch.dtype) -> None:
        def random(*shape: int) -> torch.Tensor:
            return torch.randn(shape, device=device, dtype=dtype) * 0.02

        d, self.heads = dims.d_model, dims.heads
        self.d, self.head_size = d, d // dims.heads
        self.norms = [(torch.ones(d, device=device, dtype=dtype), random(d)) for _ in range(2)]
        self.qkv, self.proj = (random(3 * d, d), random(3 * d)), (random(d, d), random(d))
        self.ffn1, self.ffn2 = (random(4 * d, d), random(4 * d)), (random(d, 4 * d), random(d))
        self.cache = random(2, self.heads, positions, self.head_size)

    def step(self, x: torch.Tensor, context: int) -> torch.Tensor:
        """The residual stream (1, d) after this block; the token is number `context`, counted from 1."""
        normed = F.layer_norm(x, (self.d,), *self.norms[0])
        qkv = F.linear(normed, *self.qkv).view(3, self.heads, self.head_size)
        self.cache[:, :, context - 1] = qkv[1:]
        keys, values = self.cache[:, None, :, :context]
        query = qkv[0].view(1, self.heads, 1, self.head_size)
        attended = F.scaled_dot_product_attention(query, keys, values).view(1, self.d)
        x = x + F.linear(attended, *self.proj)
        normed = F.layer_norm(x, (self.d,), *self.norms[1])
        hidden = F.gelu(F.linear(normed, *self.ffn1), approximate="tanh")
        return x + F.linear(hidden, *self.ffn2)


class Model:
    """A GPT with random weights that decodes one sequence."""

    def __init__(self, dims: Dims, positions: int, device: torch.device, dtype: torch.dtype) -> None:
        self.dims, self.d, self.device = dims, dims.d_model, device
        self.layers = [Layer(dims, positions, device, dtype) for _ in range(dims.layers)]
        self.embedding = torch.randn(dims.vocab, self.d, device=device, dtype=dtype) * 0.02
        self.positions = torch.randn(positions, self.d, device=device, dtype=dtype) * 0.02
        self.norm = torch.ones(self.d, device=device, dtype=dtype), torch.zeros(self.d, device=device, dtype=dtype)
        self.token = torch.zeros(1, device=device, dtype=torch.long)
        self.stream = torch.randn(1, self.d, device=device, dtype=dtype)

    def blocks(self, context: int) -> torch.Tensor:
        x = self.stream
        for layer in self.layers:
            x = layer.step(x, context)
        return x

    def whole(self, context: int) -> torch.Tensor:
        x = F.embedding(self.token, self.embedding) + self.positions[context - 1]
        for layer in self.layers:
            x = layer.step(x, context)
        return F.linear(F.layer_norm(x, (self.d,), *self.norm), self.embedding)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of one repeat over many."""

    median_s: float
    p10_s: float
    p90_s: float
    min_s: float
    repeats: int


def spread(seconds: Sequence[float]) -> Timing:
    """Median and spread of measured times."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    median, p10, p90 = (ordered[round(last * share)] for share in (0.5, 0.1, 0.9))
    return Timing(median_s=median, p10_s=p10, p90_s=p90, min_s=ordered[0], repeats=len(ordered))


def measure(work: Callable[[], object], device: torch.device, repeats: int, warmups: int = 5) -> Timing:
    """Time `work` back to back: from the end of one repeat to the end of the next, without waiting in between."""
    for _ in range(warmups):
        work()
    if device.type != "cuda":
        ends = [time.perf_counter()]
        for _ in range(repeats):
            work()
            ends.append(time.perf_counter())
        return spread([after - before for before, after in pairwise(ends)])
    events = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
    torch.cuda.synchronize()
    work()  # the first interval begins with a busy GPU, as all others do
    events[0].record()
    for event in events[1:]:
        work()
        event.record()
    torch.cuda.synchronize()
    pairs = pairwise(events)
    return spread([before.elapsed_time(after) * 1e-3 for before, after in pairs])


def capture(work: Callable[[], object]) -> Callable[[], None]:
    """`work` as a CUDA graph to replay."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def trapezoid_mean(points: Sequence[tuple[int, float]]) -> float:
    """Mean over the contexts from the first to the last point, straight lines between the measured ones."""
    if len(points) == 1:
        return points[0][1]
    area = sum((c1 - c0) * (t0 + t1) / 2 for (c0, t0), (c1, t1) in pairwise(points))
    return area / (points[-1][0] - points[0][0])


class Board:
    """Power of the GPU board, read through NVML (the driver's own library)."""

    def __init__(self, device: torch.device) -> None:
        self.nvml = ctypes.CDLL("libnvidia-ml.so.1")
        self.handle = ctypes.c_void_p()
        self._call("nvmlInit_v2")
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}".encode()
        self._call("nvmlDeviceGetHandleByUUID", uuid, ctypes.byref(self.handle))

    def _call(self, name: str, *arguments: object) -> None:
        status = getattr(self.nvml, name)(*arguments)
        if status:
            raise OSError(f"{name} returned {status}")

    def joules(self) -> float:
        """Energy since the driver was loaded."""
        counter = ctypes.c_ulonglong()
        self._call("nvmlDeviceGetTotalEnergyConsumption", self.handle, ctypes.byref(counter))
        return counter.value * 1e-3

    def power_limit_w(self) -> float:
        limit = ctypes.c_uint()
        self._call("nvmlDeviceGetEnforcedPowerLimit", self.handle, ctypes.byref(limit))
        return limit.value * 1e-3

    def driver(self) -> str:
        text = ctypes.create_string_buffer(96)
        self._call("nvmlSystemGetDriverVersion", text, 96)
        return text.value.decode()

    def watch(self, work: Callable[[], object] | None, seconds: float) -> dict[str, float]:
        """Mean board power while `work` repeats for about `seconds` (idle without), and the energy of a repeat."""
        count = 0
        torch.cuda.synchronize()
        energy, began = -self.joules(), time.perf_counter()
        while time.perf_counter() - began < seconds:
            for _ in range(20 if work else 0):
                work()
                count += 1
            torch.cuda.synchronize()
            if work is None:
                time.sleep(seconds / 10)
        energy += self.joules()
        passed = time.perf_counter() - began
        power = {"board_power_w": energy / passed, "seconds": passed}
        return power | ({"energy_per_token_j": energy / count} if count else {})


def probes(device: torch.device, repeats: int) -> dict[str, Any]:
    """What the GPU itself reaches: bandwidth, matrix product, and the cost of an operator that does nothing."""
    big = torch.randn(1 << 28, device=device, dtype=torch.bfloat16)
    other = torch.empty_like(big)
    matrix, vector = big.view(1 << 14, 1 << 14), torch.randn(1, 1 << 14, device=device, dtype=torch.bfloat16)
    square = big[: 1 << 26].view(1 << 13, 1 << 13)
    one = torch.zeros(1, device=device)
    tiny, tiny_in = torch.zeros(64, 64, device=device), torch.zeros(1, 64, device=device)
    size = big.numel() * big.element_size()

    def times(count: int, work: Callable[[], object]) -> Callable[[], None]:
        def loop() -> None:
            for _ in range(count):
                work()

        return loop

    copy = measure(lambda: other.copy_(big), device, repeats)
    gemv = measure(lambda: F.linear(vector, matrix), device, repeats)
    product = measure(lambda: square @ square, device, 20)
    empty = measure(times(200, lambda: torch.cuda._sleep(0)), device, repeats)
    add = measure(times(200, lambda: one.add_(1)), device, repeats)
    linear = measure(times(200, lambda: F.linear(tiny_in, tiny)), device, repeats)
    nodes = measure(capture(times(1000, lambda: one.add_(1))), device, repeats)
    replay = measure(capture(lambda: one.add_(1)), device, repeats)
    return {
        "copy_bytes_per_s": 2 * size / copy.median_s,
        "gemv_read_bytes_per_s": size / gemv.median_s,
        "bf16_matmul_flop_per_s": 2 * 8192**3 / product.median_s,
        "empty_kernel_s": empty.median_s / 200,
        "eager_add_s": add.median_s / 200,
        "eager_linear_s": linear.median_s / 200,
        "graph_node_s": nodes.median_s / 1000,
        "graph_replay_s": replay.median_s,
        "notes": "copy counts bytes read and written; gemv is (1 x 16384) by 16384^2 in bf16; empty_kernel, eager_add "
        "and eager_linear are 200 in a row, graph_node is one of 1,000 dependent one-element additions in a graph",
    }


def kernels(model: Model, part: str, context: int) -> dict[str, Any]:
    """Kernels of one eager token by name: how many and how long on the GPU."""
    work = getattr(model, part)
    work(context)
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work(context)
        torch.cuda.synchronize()
    device_type = torch.autograd.DeviceType.CUDA
    found: dict[str, list[float]] = {}
    for event in profile.events():
        if event.device_type == device_type:
            found.setdefault(event.name[:100], []).append(event.time_range.elapsed_us() * 1e-6)
    rows = [{"name": name, "count": len(times), "seconds": sum(times)} for name, times in found.items()]
    rows.sort(key=lambda row: -float(str(row["seconds"])))
    count, seconds = sum(map(len, found.values())), sum(map(sum, found.values()))
    return {"part": part, "context": context, "count": count, "seconds": seconds, "by_name": rows}


def generate(model: Model, tokens: int, repeats: int) -> list[float]:
    """Seconds of a whole eager generation of `tokens` tokens, blocks alone, each at its own context."""
    seconds = []
    for _ in range(repeats):
        synchronize(model.device)
        began = time.perf_counter()
        for context in range(1, tokens + 1):
            model.blocks(context)
        synchronize(model.device)
        seconds.append(time.perf_counter() - began)
    return seconds


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def measure_model(dims: Dims, arguments: argparse.Namespace, board: Board | None) -> dict[str, Any]:
    """Every figure of one model."""
    device, contexts = arguments.device, arguments.contexts
    model = Model(dims, max(contexts), device, DTYPES[arguments.dtype])
    runs: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    modes = ("eager", "graph") if device.type == "cuda" else ("eager",)
    for part in ("blocks", "whole"):
        for mode in modes:
            points = []
            for context in contexts:
                work = _work(model, part, mode, context)
                timing = measure(work, device, arguments.repeats)
                runs.append({"part": part, "mode": mode, "context": context, **asdict(timing)})
                points.append((context, timing.median_s))
            means.append({"part": part, "mode": mode, "mean_s": trapezoid_mean(points), "how": _how(contexts)})
    generated = generate(model, max(contexts), arguments.generations)
    energy = []
    if board is not None and arguments.power_seconds > 0:
        middle = contexts[len(contexts) // 2]
        for mode in modes:
            watched = board.watch(_work(model, "blocks", mode, middle), arguments.power_seconds)
            energy.append({"part": "blocks", "mode": mode, "context": middle, **watched})
    return {
        **asdict(dims), "runs": runs, "means": means,
        "generation": {"part": "blocks", "mode": "eager", "tokens": max(contexts), "seconds": generated},
        "energy": energy,
    }  # fmt: skip


def _work(model: Model, part: str, mode: str, context: int) -> Callable[[], object]:
    step = getattr(model, part)
    return capture(lambda: step(context)) if mode == "graph" else lambda: step(context)


def _how(contexts: Sequence[int]) -> str:
    return f"trapezoid through the medians at contexts {', '.join(map(str, contexts))}"


def device_facts(device: torch.device, board: Board | None) -> dict[str, Any]:
    """What the figures were measured on."""
    facts: dict[str, Any] = {
        "host_cpu": _host_cpu(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }
    if device.type != "cuda":
        return {"name": "cpu", **facts}
    properties = torch.cuda.get_device_properties(device)
    facts |= {"memory_bytes": properties.total_memory, "multiprocessors": properties.multi_processor_count}
    facts |= {"l2_bytes": getattr(properties, "L2_cache_size", None)}
    facts |= {"driver": board.driver(), "power_limit_w": board.power_limit_w()} if board else {"driver": None}
    return {"name": properties.name, **facts}


def _host_cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def open_board(device: torch.device) -> tuple[Board | None, str]:
    """The board's power meter, or none and why."""
    if device.type != "cuda":
        return None, "no GPU"
    try:
        board = Board(device)
        board.joules()
    except (OSError, AttributeError) as cause:
        return None, str(cause)
    return board, "NVML total energy counter, whole board"


def table(result: dict[str, Any]) -> str:
    """The means as text, a line a model."""
    lines = [f"{result['device']['name']}, torch {result['device']['torch']}, {result['date']}; ms per token"]
    for model in result["models"]:
        cells = [f"{mean['part']} {mean['mode']} {mean['mean_s'] * 1e3:.4f}" for mean in model["means"]]
        total = min(model["generation"]["seconds"], default=math.nan)
        watts = [f"{energy['mode']} {energy['board_power_w']:.0f} W" for energy in model["energy"]]
        lines.append(f"{model['name']:12} {'  '.join(cells)}  generation {total:.3f} s  {'  '.join(watts)}".rstrip())
    return "\n".join(lines)


def parse_dims(text: str) -> Dims:
    """`name=layers,d_model,heads[,vocab]`"""
    name, _, sizes = text.partition("=")
    try:
        layers, d_model, heads, *rest = (int(size) for size in sizes.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=LAYERS,D_MODEL,HEADS[,VOCAB], got {text!r}") from None
    if min(layers, d_model, heads, *rest) < 1 or d_model % heads:
        raise argparse.ArgumentTypeError(f"sizes of at least 1 and heads that divide d_model, got {text!r}")
    return Dims(name=name, layers=layers, d_model=d_model, heads=heads, **({"vocab": rest[0]} if rest else {}))


def parse_contexts(text: str) -> tuple[int, ...]:
    contexts = tuple(sorted({int(part) for part in text.split(",")}))
    if contexts[0] < 1:
        raise argparse.ArgumentTypeError("contexts count from 1")
    return contexts


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all unless given")
    parser.add_argument("--dims", action="append", type=parse_dims, default=[], metavar="NAME=LAYERS,D,HEADS[,VOCAB]")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--device", type=torch.device, default=torch.device("cuda"))
    parser.add_argument("--dtype", choices=DTYPES, default="bf16")
    parser.add_argument("--contexts", type=parse_contexts, default=(1, 128, 256, 512, 768, 1024), metavar="N,N,...")
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--generations", type=int, default=2, help="whole eager generations to time")
    parser.add_argument("--power-seconds", type=float, default=4.0, help="length of each power measurement, 0 for none")
    arguments = parser.parse_args(argv)
    unknown = [name for name in arguments.models if name not in MODELS]
    if unknown:
        parser.error(f"no model {unknown[0]!r}; there are {', '.join(MODELS)}")
    if arguments.device.type == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no CUDA device; --device cpu is a smoke test of this script")
    named = [MODELS[name] for name in arguments.models]
    arguments.chosen = [*named, *arguments.dims] or list(MODELS.values())
    return arguments


@torch.inference_mode()
def count_kernels(arguments: argparse.Namespace, result: dict[str, Any]) -> None:
    """Add each model's kernels; last of all, because a profiler slows what runs after it."""
    if arguments.device.type != "cuda":
        return
    for dims, model in zip(arguments.chosen, result["models"], strict=True):
        built = Model(dims, max(arguments.contexts), arguments.device, DTYPES[arguments.dtype])
        try:
            model["kernels"] = [kernels(built, part, max(arguments.contexts)) for part in ("blocks", "whole")]
        except (RuntimeError, AttributeError) as cause:
            model["kernels"], model["kernels_missing"] = [], str(cause)


@torch.inference_mode()
def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything the script measures, as written to the file."""
    device = arguments.device
    board, power_source = open_board(device)
    result: dict[str, Any] = {
        "what": "measured: token-by-token decode, batch 1, random weights",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "device": device_facts(device, board),
        "settings": {"dtype": arguments.dtype, "contexts": arguments.contexts, "repeats": arguments.repeats},
        "power_source": power_source,
        "idle": board.watch(None, arguments.power_seconds) if board and arguments.power_seconds > 0 else None,
        "probes": probes(device, arguments.repeats) if device.type == "cuda" else None,
        "models": [],
    }
    for dims in arguments.chosen:
        print(f"measuring {dims.name}", file=sys.stderr, flush=True)
        result["models"].append(measure_model(dims, arguments, board))
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return result


def main() -> None:
    arguments = parse()
    result = run(arguments)
    print(table(result))
    if arguments.out:
        save(arguments.out, result)  # before the profiler runs: a driver without it must not cost the figures
        count_kernels(arguments, result)
        save(arguments.out, result)


def save(path: Path, result: dict[str, Any]) -> None:
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
