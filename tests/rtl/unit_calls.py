"""The calls of Edge-MoE's units as calls of its blocks of RTL: beats are cut into the numbers that a block takes.

Nothing here adds, multiplies or compares numbers. What stays on the chip from one instruction to the next stays in the
RTL, but for two paths that the program leaves to the units: tiles of weights go from the loader's banks into those of
the linear unit, and tokens and scores of the gate's queues to the linear unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.instructions import Work
from hwsim.rtl.ports import Beats, Codes, Streams
from hwsim.rtl.weight_loader.contract import Group
from tests.rtl.attention_memory import info_numbers, info_values, score_masks, score_numbers, score_values
from tests.rtl.byte_memory import Bytes
from tests.rtl.machine_units import MachineUnits

QUEUE_EDGES = 2  # from a gate's last token in its queues to the first entry that leaves them


@dataclass(frozen=True, kw_only=True)
class Called:
    """What a call took and gave.

    Attributes
    ----------
    rtl, contract : cycles, as the RTL took them and as contracts state them
    results : numbers for memory, by FIFO of the task
    """

    rtl: int
    contract: int
    results: Mapping[str, Codes] = field(default_factory=dict)


class UnitCalls:
    """Carries out instructions.

    Attributes
    ----------
    queues : of each expert that has tokens, their numbers and scores, as the gate's RTL gave them
    """

    def __init__(self, design: Design, units: MachineUnits) -> None:
        self.design = design
        self.units = units
        (self.linear,), (self.loader,) = design.linears.values(), design.loaders.values()
        self.queues: dict[int, tuple[Codes, Codes]] = {}
        self._loads = 0
        self._read: Mapping[str, Bytes] = {}

    def carry_out(self, job: Work, read: Mapping[str, Bytes]) -> Called:
        """Carry out an instruction.

        Parameters
        ----------
        read : beats from memory by FIFO of the task, (beats, bytes)
        """
        self._read = read
        match job:
            case work.LoadPatchWeights():
                return self._load_patch_weights()
            case work.EmbedPatches():
                return self._embed(job)
            case work.LoadNorms():
                return self._load_norms(job)
            case work.Normalise():
                return self._normalise(job)
            case work.LoadWeights():
                return self._load_weights(job)
            case work.Multiply():
                return self._multiply(job)
            case work.ComputeScores():
                return self._scores(job)
            case work.ComputeValues():
                return self._values(job)
            case work.Add():
                return self._add()
            case work.Fill():
                return self._fill(job)
            case work.LoadGate():
                return self._load_gate()
            case work.Choose():
                return self._choose(job)
            case _:
                raise AssertionError(f"{job}: no unit of RTL does this")

    def _load_patch_weights(self) -> Called:
        c = self.design.patch_embed
        biases = self._weights("biases").reshape(c.out_tiles, -1)[:, : c.out_lanes]
        answer = self.units.patch_embed.call(
            command=_beat(stripes=0, load=1, class_token=0),
            w={"values": self._weights("weights").reshape(-1, c.in_lanes)},
            bias={"values": biases},
        )
        return Called(rtl=max(answer.last.values()), contract=1 + c.weight_beats)

    def _embed(self, job: work.EmbedPatches) -> Called:
        c, command = self.design.patch_embed, job.command
        cycles = c.cycles([command])
        answer = self.units.patch_embed.call(
            cycles,
            command=_beat(stripes=command.stripes, load=0, class_token=int(command.class_token)),
            pixels={"values": self._read["pixels"].astype(np.int64)},
            position={"values": self._activations("positions", c.beat_values)},
        )
        return Called(rtl=answer.last["y"], contract=cycles, results={"y": answer.streams["y"]["values"]})

    def _load_norms(self, job: work.LoadNorms) -> Called:
        """The rows go on into the double buffer of the norm unit."""
        assert (job.first, job.last) == (True, True), "the RTL loads all norms of a layer with one command"
        c, norms = self.design.norm_loader, len(job.vectors) // 2
        vectors = [self._weights(name).reshape(-1, c.beat_numbers) for name in self._read]
        cycles = c.cycles([norms])
        answer = self.units.norm_loader.call(
            cycles, command=_beat(norms=norms), memory={"numbers": np.concatenate(vectors)}
        )
        self.units.layernorm.call(norm=answer.streams["norm"])
        return Called(rtl=answer.last["norm"], contract=cycles)

    def _normalise(self, job: work.Normalise) -> Called:
        c = self.design.layernorm
        x, cycles = self._activations("x", c.lanes), c.cycles(job.tokens)
        answer = self.units.layernorm.call(cycles, x={"values": x, "last": _last(len(x))})
        return Called(rtl=answer.last["y"], contract=cycles, results={"y": answer.streams["y"]["values"]})

    def _load_weights(self, job: work.LoadWeights) -> Called:
        """Each word is read once, in order, and goes on into the linear unit's bank of the same number.

        A matrix lies in memory row by row and in a bank tile by tile, so its beats go to different places there.
        """
        c, part = self.loader, job.part
        assert job.bank == self._loads % 2, "banks of the RTL take turns"
        assert job.matrix.bias is not None, "the RTL takes biases with all weights"
        assert not part.accumulates, "the RTL adds up no passes"
        self._loads += 1
        group = Group(in_tiles=part.in_tiles, out_tiles=part.out_tiles, reads=part.words, attention=job.attention)
        rows = self._weights("weights").reshape(part.out_tiles, c.out_lanes, part.in_tiles, c.in_lanes)
        tiles = rows.transpose(0, 2, 1, 3).reshape(-1, c.beat_numbers)
        biases = self._weights("biases").reshape(-1, c.beat_numbers)
        word = np.arange(part.words)
        answer = self.units.weight_loader.call(
            c.cycles([group]),
            command=_beat(in_tiles=group.in_tiles, out_tiles=group.out_tiles, attention=int(group.attention)),
            memory={"numbers": np.concatenate([tiles, biases])},
            read={"word": word, "tile": word // part.in_tiles, "last": _last(part.words)},
        )
        assert answer.last["word"] == c.cycles([group])
        self._fill_bank(answer.streams["word"], part.in_tiles)
        # a word can be read in the cycle after it was stored
        return Called(rtl=answer.first["read"] - 1, contract=c.load_cycles(group))

    def _fill_bank(self, word: Beats, in_tiles: int) -> None:
        w, bias = word["weights"].reshape(-1, self.linear.in_lanes), word["bias"][::in_tiles]
        self.units.linear.call(w={"values": w, "last": _last(len(w))}, bias={"values": bias, "last": _last(len(bias))})

    def _multiply(self, job: work.Multiply) -> Called:
        c, command = self.linear, job.command
        streams: dict[str, Beats] = {"x": {"values": self._activations("x", c.in_lanes)}}
        tokens = np.arange(command.tokens)
        if job.tokens is not None:
            assert job.expert is not None
            tokens, scores = self.queues[job.expert]
            assert tuple(tokens.tolist()) == job.tokens, "the RTL chose other tokens than the program has"
            streams["index"] = {"token": tokens}
            if command.use_score:
                streams["score"] = {"value": scores}
                streams["dst"] = {"values": self._activations("dst", c.out_lanes)}
        flags = {name: int(value) for name, value in vars(command).items()}
        cycles = c.compute_cycles(command)
        answer = self.units.linear.call(cycles, command=_beat(**flags), **streams)
        y, out = answer.streams["y"], command.out_tiles
        _require_order(answer.streams, tokens, out)
        return Called(rtl=answer.last["y"], contract=cycles, results={"y": y["values"]})

    def _scores(self, job: work.ComputeScores) -> Called:
        """The scores' own cycles show at their last beat, which passes a FIFO and a register more."""
        c = self.design.qk
        unit = self.units.scores_contract
        command, cycles = _beat(tokens=job.tokens), unit.cycles(job.tokens)
        q, k = (self._activations(name, c.channels) for name in ("q", "k"))
        answer = self.units.scores.call(cycles, command=command, softmax=command, q={"values": q}, k={"values": k})
        raw, info = answer.streams["raw"], answer.streams["info"]
        np.testing.assert_array_equal(raw["mask"], score_masks(self.design, job.tokens))
        assert answer.last["raw"] == c.cycles(job.tokens) + 2
        results = {
            "raw": score_numbers(self.design, raw["values"]),
            "info": info_numbers(self.design, info["inverse"], info["bias"]),
        }
        return Called(rtl=answer.last["info"], contract=cycles, results=results)

    def _values(self, job: work.ComputeValues) -> Called:
        c = self.design.mv
        cycles = c.cycles(job.tokens)
        inverse, maximum = info_values(self.design, self._activations("info", self.design.lanes))
        scores = score_values(self.design, self._activations("scores", self.design.lanes))
        answer = self.units.mv.call(
            cycles,
            command=_beat(tokens=job.tokens),
            info={"inverse": inverse, "bias": maximum},
            scores={"values": scores, "mask": score_masks(self.design, job.tokens)},
            v={"values": self._activations("v", c.channels)},
        )
        return Called(rtl=answer.last["y"], contract=cycles, results={"y": answer.streams["y"]["values"]})

    def _add(self) -> Called:
        c = self.design.residual_add
        x, branch = (self._activations(name, c.lanes) for name in ("x", "branch"))
        cycles = c.cycles(len(x))
        answer = self.units.residual_add.call(cycles, x={"values": x}, branch={"values": branch})
        return Called(rtl=answer.last["y"], contract=cycles, results={"y": answer.streams["y"]["values"]})

    def _fill(self, job: work.Fill) -> Called:
        c = self.design.fill
        beats = job.tokens * self.design.padded(self.design.sizes.features) // c.lanes
        cycles = c.cycles([beats])
        answer = self.units.fill.call(cycles, command=_beat(value=0, beats=beats))
        return Called(rtl=answer.last["y"], contract=cycles, results={"y": answer.streams["y"]["values"]})

    def _load_gate(self) -> Called:
        """The machine reads the weights of all experts for some inputs, then for the next; the RTL takes rows.

        Where a row's part is less than a beat, a beat is read for each part of it.
        """
        c = self.design.gate
        assert c is not None
        parts = self.design.beat_weights // c.lanes
        beats = self._weights("weights").reshape(c.tiles, c.experts, parts, c.lanes)
        tile = np.arange(c.tiles)
        rows = beats[tile, :, tile % parts].transpose(1, 0, 2).reshape(-1, c.lanes)
        answer = self.units.gate.call(command=_beat(load=1, tokens=0), weights={"values": rows})
        return Called(rtl=answer.last["weights"], contract=c.command_cycles(load=True, tokens=0))

    def _choose(self, job: work.Choose) -> Called:
        c = self.design.gate
        assert c is not None
        cycles = c.command_cycles(load=False, tokens=job.tokens)
        x = self._activations("x", c.lanes)
        answer = self.units.gate.call(cycles, command=_beat(load=0, tokens=job.tokens), x={"values": x})
        meta, queue = answer.streams["meta"], answer.streams["queue"]
        ends = np.cumsum(meta["length"])[:-1]
        parts = zip(np.split(queue["token"], ends), np.split(queue["score"], ends))
        self.queues = dict(zip(meta["expert"].tolist(), parts))
        assert answer.last["queue"] == cycles
        chosen = c.choice_cycles(load=False, tokens=job.tokens)
        return Called(rtl=answer.first["queue"] - QUEUE_EDGES, contract=chosen)

    def _activations(self, fifo: str, lanes: int) -> Codes:
        """(beats of the block, lanes) activations."""
        return self._numbers(fifo, self.design.spec.formats.fixed("activation").width).reshape(-1, lanes)

    def _weights(self, fifo: str) -> Codes:
        """All weights or biases, one after the other."""
        return self._numbers(fifo, self.design.spec.formats.fixed("weight").width)

    def _numbers(self, fifo: str, width: int) -> Codes:
        return self._read[fifo].view(f"<i{width // 8}").ravel().astype(np.int64)


def _require_order(streams: Streams, tokens: Codes, tiles: int) -> None:
    """Check that the linear unit fetched and gave tokens in order, and their tiles in order."""
    y = streams["y"]
    np.testing.assert_array_equal(streams["fetch"]["token"], tokens)
    np.testing.assert_array_equal(y["token"], np.repeat(tokens, tiles))
    np.testing.assert_array_equal(y["tile"], np.tile(np.arange(tiles), len(tokens)))


def _beat(**fields: int) -> Beats:
    """A single beat."""
    return {name: np.array([value], dtype=np.int64) for name, value in fields.items()}


def _last(length: int) -> Codes:
    """Flags of beats, of which the last one is 1."""
    return (np.arange(length) == length - 1).astype(np.int64)
