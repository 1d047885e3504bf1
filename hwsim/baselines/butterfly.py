"""An accelerator like Butterfly: most layers mix tokens by FFT, a few by softmax attention.

Modelled from two latency tables of its public performance model (butterfly.yaml): FFT layers on its butterfly engines,
and layers with softmax attention on its dense baseline engine. The second is not the engine of BTF-1 and BTF-2, the
accelerators with one or two softmax layers that SWAT is compared with: that one is not published. So a ratio over
layers with softmax attention says how a quadratic engine of 2,048 multipliers grows, not what theirs took.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from hwsim.data_file import read_data
from hwsim.errors import MachineError


@dataclass(frozen=True, kw_only=True)
class Quadratic:
    """constant + linear N + quadratic N^2, in seconds."""

    constant: float
    linear: float
    quadratic: float

    def at(self, tokens: int) -> float:
        return self.constant + self.linear * tokens + self.quadratic * tokens**2


@dataclass(frozen=True, kw_only=True)
class Butterfly:
    """The accelerator that the tables are of.

    Attributes
    ----------
    fft_s, dense_s : seconds of a layer by tokens
    engines : rows that are worked on at once in an FFT layer
    fft_cycles, ffn_cycles : of a batch of so many rows, in the FFTs and in the FFN
    multipliers : of the dense engine
    power_w : of the board in FFT layers; nothing is known of the dense engine's
    provenance : grade and source of each figure
    """

    layers: int
    width: int
    heads: int
    fft_s: Mapping[int, float]
    dense_s: Mapping[int, float]
    engines: int
    fft_cycles: int
    ffn_cycles: int
    multipliers: int
    power_w: float
    provenance: Mapping[str, Mapping[str, Any]]

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    def fft_layer_s(self, tokens: int) -> float:
        """A layer with FFTs and a butterfly FFN: the table's where it has `tokens`, else between its neighbours.

        The model works through batches of as many rows as there are engines, and its table is linear in their number
        (to 2e-5). So it is interpolated over batches, not over tokens.

        Raises
        ------
        MachineError : a number of tokens outside of the table
        """
        below, above = _neighbours(self.fft_s, tokens)
        if below == above:
            return self.fft_s[below]
        share = (self.batches(tokens) - self.batches(below)) / (self.batches(above) - self.batches(below))
        return self.fft_s[below] + share * (self.fft_s[above] - self.fft_s[below])

    def batches(self, tokens: int) -> int:
        return -(-tokens // self.engines)

    def fft_mixing_s(self, tokens: int) -> float:
        """The FFTs of such a layer alone, what it has in place of attention."""
        return self.fft_layer_s(tokens) * self.fft_cycles / (self.fft_cycles + self.ffn_cycles)

    def dense_layer_s(self, tokens: int) -> float:
        """A layer with softmax attention and dense matrices: the table's where it has `tokens`, else the fit.

        Raises
        ------
        MachineError : a number of tokens outside of the table
        """
        _neighbours(self.dense_s, tokens)
        return self.dense_s[tokens] if tokens in self.dense_s else dense_fit(self).at(tokens)

    def dense_attention_s(self, tokens: int) -> float:
        """The quadratic part of such a layer: scores, softmax and values, without projections and FFN."""
        _neighbours(self.dense_s, tokens)
        return dense_fit(self).quadratic * tokens**2

    def attention_s(self, tokens: int, softmax_layers: int) -> float:
        """Attention, or what stands for it, of all layers, `softmax_layers` of which have softmax attention."""
        fft = self._fft_layers(softmax_layers)
        return fft * self.fft_mixing_s(tokens) + softmax_layers * self.dense_attention_s(tokens)

    def model_s(self, tokens: int, softmax_layers: int) -> float:
        """All layers with their FFN; those with softmax attention have dense matrices."""
        fft = self._fft_layers(softmax_layers)
        return fft * self.fft_layer_s(tokens) + softmax_layers * self.dense_layer_s(tokens)

    def _fft_layers(self, softmax_layers: int) -> int:
        if not 0 <= softmax_layers <= self.layers:
            raise MachineError(f"Butterfly: expected 0 to {self.layers} softmax layers, got {softmax_layers}")
        return self.layers - softmax_layers


@cache
def butterfly() -> Butterfly:
    """The accelerator of butterfly.yaml."""
    document = read_data("hwsim.baselines", "butterfly.yaml")
    layers, fft, dense = document["layers"], document["fft"], document["dense"]
    return Butterfly(
        layers=layers,
        width=document["width"],
        heads=document["heads"],
        fft_s=_layer_seconds(fft["latency_ms"], layers),
        dense_s=_layer_seconds(dense["latency_ms"], layers),
        engines=fft["engines"],
        fft_cycles=fft["fft_cycles"],
        ffn_cycles=fft["ffn_cycles"],
        multipliers=dense["multipliers"],
        power_w=document["power_w"],
        provenance=document["provenance"],
    )


def with_power(machine: Butterfly, watts: float) -> Butterfly:
    """The same at a power of the user's own.

    Raises
    ------
    MachineError : a power that is not above 0
    """
    if watts <= 0:
        raise MachineError(f"Butterfly: its power must be above 0 W, got {watts:g}")
    given = {**machine.provenance, "power_w": {"grade": "given", "source": "the caller"}}
    return replace(machine, power_w=watts, provenance=given)


def dense_fit(machine: Butterfly) -> Quadratic:
    """Seconds of a layer of the dense engine, by least squares of the relative errors (they stay below 3e-5)."""
    tokens = np.array(list(machine.dense_s), dtype=float)
    seconds = np.array(list(machine.dense_s.values()))
    powers = tokens[:, np.newaxis] ** np.arange(3)
    found, *_ = np.linalg.lstsq(powers / seconds[:, np.newaxis], np.ones(len(seconds)), rcond=None)
    constant, linear, quadratic = (float(value) for value in found)
    return Quadratic(constant=constant, linear=linear, quadratic=quadratic)


def _layer_seconds(latency_ms: Mapping[int, float], layers: int) -> Mapping[int, float]:
    return {tokens: ms / 1e3 / layers for tokens, ms in latency_ms.items()}


def _neighbours(table: Mapping[int, float], tokens: int) -> tuple[int, int]:
    """The table's entries around `tokens`, twice the same where it has one for it."""
    if tokens in table:
        return tokens, tokens
    for below, above in pairwise(sorted(table)):
        if below < tokens < above:
            return below, above
    raise MachineError(f"Butterfly: {tokens:,} tokens, but its tables go from {min(table):,} to {max(table):,}")
