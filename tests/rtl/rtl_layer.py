"""One layer of Edge-MoE by RTL blocks in sequence, each simulated in Verilator.

Between blocks numpy plays the memory: it keeps whole arrays and supplies them in the order in which a block takes them.
It does not add, multiply or compare. The linear unit computes both residual sums: it adds its result times a score of 1
to a destination.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.rtl.contract import Contract
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.linear.command import Command
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.skew import skewed_rows
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.weight_loader.contract import Group, WeightLoaderContract
from tests.rtl.golden_layer import ATTENTION_BIAS, BIAS, FRACTION, Layer, Matrix, Norm, Shape
from tests.rtl.players import play

LANES = 8
ONE = 1 << FRACTION
ATTENTION = {"heads": 2, "slots": 4, "max_tokens": 17}
NORM_UNIT = LayerNormContract.from_preset("rtl", features=32, lanes=LANES)
LOADER = WeightLoaderContract.from_preset("rtl", in_lanes=LANES, out_lanes=LANES, weight_words=32, bias_words=8)
LINEAR = LinearContract.from_preset(
    "rtl", in_lanes=LANES, out_lanes=LANES, max_tokens=17, max_in_tiles=8, max_out_tiles=8, weight_words=32, in_fifo=8
)
SCORES = QkReorderContract.from_preset("rtl", **ATTENTION, channels=4, head_dim=16, scale_code=Shape().scale_code)
SOFTMAX = OnlineSoftmaxContract.from_preset("rtl", **ATTENTION)
VALUES = MvContract.from_preset("rtl", **ATTENTION, channels=4, head_dim=16)
GATE = TopkGateContract.from_preset("rtl", experts=4, lanes=LANES, inputs=32, max_tokens=17)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A matrix as the linear unit takes it: rows of tiles, and the biases of out tiles."""

    rows: Codes
    biases: Codes
    in_tiles: int
    out_tiles: int


@dataclass
class RtlLayer:
    """Plays a layer block by block; keeps the arrays and the cycles of each block."""

    layer: Layer
    folder: Path
    made: dict[str, Codes] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)
    _calls: Any = field(default_factory=count)

    def run(self, x: Codes) -> Iterator[str]:
        """Compute a layer's arrays, with the names of `golden_layer.run_layer`; report each as soon as it is computed.

        `proj`, `mlp` and `probabilities` never leave a block; sums and weighted values do.
        """
        layer, made = self.layer, self.made
        made["norm1"] = self.norm(layer.norm1, x)
        yield "norm1"
        *attention, proj = self.load([layer.q, layer.k, layer.v, layer.proj], attention=True)
        made["q"], made["k"], made["v"] = self.linear(attention, [made["norm1"]] * 3)
        yield from ("q", "k", "v")
        yield from self.attend()
        (made["residual"],) = self.linear([proj], [made["attention"]], add_to=x)
        yield "residual"
        made["norm2"] = self.norm(layer.norm2, made["residual"])
        yield "norm2"
        if layer.mlp is not None:
            first, second = self.load(layer.mlp)
            (made["hidden"],) = self.linear([first], [made["norm2"]], use_gelu=True)
            yield "hidden"
            (made["out"],) = self.linear([second], [made["hidden"]], add_to=made["residual"])
        else:
            yield from self.mix()
        yield "out"

    def norm(self, p: Norm, x: Codes) -> Codes:
        """Layer norm of all tokens."""
        last = np.zeros(len(x) * NORM_UNIT.beats, dtype=np.int64)
        last[-1] = 1
        norm = {"weight": p.weight.reshape(-1, LANES), "bias": p.bias.reshape(-1, LANES)}
        streams = {"x": {"values": x.reshape(-1, LANES), "last": last}, "norm": norm}
        return self.play(NORM_UNIT, len(x), streams)["y"]["values"].reshape(x.shape)

    def load(self, matrices: Any, *, attention: bool = False) -> list[Loaded]:
        """Matrices from memory through the double buffer, one after the other, each word read once."""
        groups, memory, reads = [], [], []
        for m in matrices:
            outs, ins = (size // LANES for size in m.weight.shape)
            groups.append(Group(in_tiles=ins, out_tiles=outs, reads=ins * outs, attention=attention))
            memory += [tiles_of(m).reshape(-1, LOADER.beat_numbers), stored_biases(m, attention=attention)]
            reads += [(word, word // ins, word == ins * outs - 1) for word in range(ins * outs)]
        streams = {
            "command": {
                "in_tiles": np.array([g.in_tiles for g in groups]),
                "out_tiles": np.array([g.out_tiles for g in groups]),
                "attention": np.array([g.attention for g in groups], dtype=np.int64),
            },
            "memory": {"numbers": np.concatenate(memory)},
            "read": dict(zip(("word", "tile", "last"), np.array(reads, dtype=np.int64).T)),
        }
        words = self.play(LOADER, groups, streams)["word"]
        read = np.concatenate([tiles_of(m) for m in matrices])
        np.testing.assert_array_equal(words["weights"].reshape(read.shape), read, err_msg="weights")
        biases = np.concatenate([np.repeat(m.bias.reshape(-1, LANES), g.in_tiles, 0) for m, g in zip(matrices, groups)])
        np.testing.assert_array_equal(words["bias"], biases, err_msg="biases")
        ends = np.cumsum([g.words for g in groups])[:-1]
        parts = zip(groups, np.split(words["weights"], ends), np.split(words["bias"], ends))
        return [
            Loaded(
                rows=weights.reshape(-1, LANES), biases=bias[:: g.in_tiles], in_tiles=g.in_tiles, out_tiles=g.out_tiles
            )
            for g, weights, bias in parts
        ]

    def linear(
        self,
        matrices: list[Loaded],
        inputs: list[Codes],
        *,
        index: list[Codes] | None = None,
        score: Codes | None = None,
        add_to: Codes | None = None,
        use_gelu: bool = False,
    ) -> list[Codes]:
        """Each matrix times its input, (tokens, features), with one command each.

        `index` gives the rows that a command gathers and writes. With `add_to` the result of the single command times
        `score`, or times 1, is added to it.
        """
        tokens = index or [np.arange(len(x)) for x in inputs]
        flags = {"use_gelu": use_gelu, "use_expert": index is not None, "use_score": add_to is not None}
        work = [
            Command(tokens=len(t), in_tiles=m.in_tiles, out_tiles=m.out_tiles, **flags)
            for m, t in zip(matrices, tokens)
        ]
        streams: Streams = {
            "command": {name: np.array([getattr(c, name) for c in work], dtype=np.int64) for name in vars(work[0])},
            "w": {"values": np.concatenate([m.rows for m in matrices]), "last": _ends(len(m.rows) for m in matrices)},
            "bias": {
                "values": np.concatenate([m.biases for m in matrices]),
                "last": _ends(len(m.biases) for m in matrices),
            },
            "index": {"token": np.concatenate(index or [np.zeros(0, dtype=np.int64)])},
            "x": {"values": np.concatenate([x[t].reshape(-1, LANES) for x, t in zip(inputs, tokens)])},
            "score": {"value": np.zeros(0, dtype=np.int64)},
            "dst": {"values": np.zeros((0, LANES), dtype=np.int64)},
        }
        if add_to is not None:
            streams["score"] = {"value": np.full(len(tokens[0]), ONE) if score is None else score}
            streams["dst"] = {"values": add_to[tokens[0]].reshape(-1, LANES)}
        y = self.play(LINEAR, work, streams)["y"]
        return self._written(work, y, inputs, add_to)

    def _written(self, work: list[Command], y: Any, inputs: list[Codes], add_to: Codes | None) -> list[Codes]:
        """The memory after the unit: each result at its address."""
        written, start = [], 0
        for command, x in zip(work, inputs):
            beats = slice(start, start := start + command.tokens * command.out_tiles)
            shape = (len(x), command.out_tiles, LANES)
            out = np.zeros(shape, dtype=np.int64) if add_to is None else add_to.reshape(shape).copy()
            out[y["token"][beats], y["tile"][beats]] = y["values"][beats]
            written.append(out.reshape(len(x), -1))
        return written

    def attend(self) -> Iterator[str]:
        """Scores, the result of the single-pass softmax for them, and the weighted values."""
        q, k, v = (self.made[name] for name in ("q", "k", "v"))
        tokens, rows = len(q), list(skewed_rows(len(q), SCORES.slots))
        again = [row.key for row in rows]
        command = {"tokens": np.array([tokens])}
        streams = {
            "command": command,
            "q": {"values": q.reshape(-1, SCORES.channels)},
            "k": {"values": k[again].reshape(-1, SCORES.channels)},
        }
        beats = self.play(SCORES, tokens, streams)["scores"]
        self.made["scores"] = _unskewed(tokens, beats["values"])
        yield "scores"
        softmax = self.play(SOFTMAX, tokens, {"command": command, "scores": beats})
        self.made["maximum"], self.made["inverse"] = softmax["info"]["bias"].T, softmax["info"]["inverse"].T
        yield from ("maximum", "inverse")
        streams = {
            "command": command,
            "info": softmax["info"],
            "scores": softmax["raw"],
            "v": {"values": v[again].reshape(-1, VALUES.channels)},
        }
        self.made["attention"] = self.play(VALUES, tokens, streams)["y"]["values"].reshape(tokens, -1)
        yield "attention"

    def mix(self) -> Iterator[str]:
        """Gate, then expert by expert the tokens that chose it: hidden units, and their sum onto the result."""
        made, x = self.made, self.made["norm2"]
        assert self.layer.gate is not None
        streams = {
            "command": {"load": np.array([1]), "tokens": np.array([len(x)])},
            "weights": {"values": self.layer.gate.reshape(-1, LANES)},
            "x": {"values": x.reshape(-1, LANES)},
        }
        answer = self.play(GATE, [(True, len(x))], streams)
        meta, queue = answer["meta"], answer["queue"]
        made["chosen"], made["gate"] = np.zeros((2, len(x), GATE.experts), dtype=np.int64)
        places = queue["token"], np.repeat(meta["expert"], meta["length"])
        made["chosen"][places], made["gate"][places] = 1, queue["score"]
        yield from ("chosen", "gate")
        made["out"], ends = made["residual"], np.cumsum(meta["length"])
        for expert, end, length in zip(meta["expert"], ends, meta["length"]):
            mine = slice(end - length, end)
            first, second = self.load(self.layer.experts[expert])
            index = [queue["token"][mine]]
            hidden = self.linear([first], [x], index=index, use_gelu=True)
            (made[f"hidden{expert}"],) = hidden
            yield f"hidden{expert}"
            (made["out"],) = self.linear([second], hidden, index=index, score=queue["score"][mine], add_to=made["out"])
            made[f"out{expert}"] = made["out"]
            yield f"out{expert}"

    def play(self, contract: Contract, work: Any, streams: Streams) -> Streams:
        """One call of a block; its cycles must be those of the contract."""
        folder = self.folder / f"{next(self._calls):02} {contract.block}"
        folder.mkdir()
        answer = play(contract, work, streams, folder)
        self.cycles[contract.block] = self.cycles.get(contract.block, 0) + contract.cycles(work)
        return answer


def tiles_of(m: Matrix) -> Codes:
    """(tiles, weights): out tile > in tile > out lane > in lane."""
    outs, ins = (size // LANES for size in m.weight.shape)
    return m.weight.reshape(outs, LANES, ins, LANES).transpose(0, 2, 1, 3).reshape(outs * ins, LANES * LANES)


def stored_biases(m: Matrix, *, attention: bool) -> Codes:
    """Biases as stored in memory: 16 bits, one beat per out tile, the rest of the beat empty."""
    codes = m.bias >> (BIAS.fraction - ATTENTION_BIAS.fraction) if attention else m.bias
    return np.pad(codes.reshape(-1, LANES), ((0, 0), (0, LOADER.beat_numbers - LANES)))


def _unskewed(tokens: int, values: Codes) -> Codes:
    """Scores (heads, queries, keys) of beats in the skewed order."""
    scores = np.zeros((SCORES.heads, tokens, tokens), dtype=np.int64)
    for row, heads in zip(skewed_rows(tokens, SCORES.slots), values.reshape(-1, SCORES.heads, SCORES.slots)):
        for slot, query in enumerate(row.queries):
            if query is not None:
                scores[:, query, row.key] = heads[:, slot]
    return scores


def _ends(lengths: Any) -> Codes:
    """Flags that are 1 on the last beat of each part."""
    return np.concatenate([np.arange(length) == length - 1 for length in lengths]).astype(np.int64)
