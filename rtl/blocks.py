"""All blocks that have RTL. Amaranth is imported when a component is made, not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtl.block import Block
from rtl.gelu_delta import cases as gelu_delta_cases
from rtl.gelu_delta import golden as gelu_delta_golden
from rtl.gelu_delta.contract import GeluDeltaContract
from rtl.mac_tile import cases as mac_tile_cases
from rtl.mac_tile import golden as mac_tile_golden
from rtl.mac_tile.contract import MacTileContract

BLOCKS: Mapping[str, Block[Any]] = {
    "mac_tile": Block(
        summary="matrix-vector tiles: products, bias and sums over the tiles of a row",
        contract=MacTileContract,
        golden=mac_tile_golden.run,
        cases=mac_tile_cases,
        component_path="rtl.mac_tile.component:MacTile",
    ),
    "gelu_delta": Block(
        summary="GELU as the rectifier less an interpolated bell",
        contract=GeluDeltaContract,
        golden=gelu_delta_golden.run,
        cases=gelu_delta_cases,
        component_path="rtl.gelu_delta.component:GeluDelta",
    ),
}
