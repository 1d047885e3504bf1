"""All blocks that have RTL. Amaranth is imported when a component is made, not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.rtl.block import Block
from hwsim.rtl.divide import cases as divide_cases
from hwsim.rtl.divide import golden as divide_golden
from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.exp import cases as exp_cases
from hwsim.rtl.exp import golden as exp_golden
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.fill import cases as fill_cases
from hwsim.rtl.fill import golden as fill_golden
from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.gelu_delta import cases as gelu_delta_cases
from hwsim.rtl.gelu_delta import golden as gelu_delta_golden
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.inverse_root import cases as inverse_root_cases
from hwsim.rtl.inverse_root import golden as inverse_root_golden
from hwsim.rtl.inverse_root.contract import ReciprocalContract, RsqrtContract
from hwsim.rtl.layernorm import cases as layernorm_cases
from hwsim.rtl.layernorm import golden as layernorm_golden
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.linear import cases as linear_cases
from hwsim.rtl.linear import golden as linear_golden
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.mac_tile import cases as mac_tile_cases
from hwsim.rtl.mac_tile import golden as mac_tile_golden
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.mv import cases as mv_cases
from hwsim.rtl.mv import golden as mv_golden
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.norm_loader import cases as norm_loader_cases
from hwsim.rtl.norm_loader import golden as norm_loader_golden
from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.online_softmax import cases as online_softmax_cases
from hwsim.rtl.online_softmax import golden as online_softmax_golden
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.patch_embed import cases as patch_embed_cases
from hwsim.rtl.patch_embed import golden as patch_embed_golden
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.qk_reorder import cases as qk_reorder_cases
from hwsim.rtl.qk_reorder import golden as qk_reorder_golden
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.residual_add import cases as residual_add_cases
from hwsim.rtl.residual_add import golden as residual_add_golden
from hwsim.rtl.residual_add.contract import ResidualAddContract
from hwsim.rtl.square_root import cases as square_root_cases
from hwsim.rtl.square_root import golden as square_root_golden
from hwsim.rtl.square_root.contract import SquareRootContract
from hwsim.rtl.topk_gate import cases as topk_gate_cases
from hwsim.rtl.topk_gate import golden as topk_gate_golden
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.weight_loader import cases as weight_loader_cases
from hwsim.rtl.weight_loader import golden as weight_loader_golden
from hwsim.rtl.weight_loader.contract import WeightLoaderContract

BLOCKS: Mapping[str, Block[Any]] = {
    "mac_tile": Block(
        summary="matrix-vector tiles: products, bias and sums over the tiles of a row",
        contract=MacTileContract,
        golden=mac_tile_golden.run,
        cases=mac_tile_cases,
        component_path="hwsim.rtl.mac_tile.component:MacTile",
    ),
    "gelu_delta": Block(
        summary="GELU as the rectifier less an interpolated bell",
        contract=GeluDeltaContract,
        golden=gelu_delta_golden.run,
        cases=gelu_delta_cases,
        component_path="hwsim.rtl.gelu_delta.component:GeluDelta",
    ),
    "exp": Block(
        summary="exponential of arguments up to 0",
        contract=ExpContract,
        golden=exp_golden.run,
        cases=exp_cases,
        component_path="hwsim.rtl.exp.component:Exp",
    ),
    "divide": Block(
        summary="quotient of two unsigned numbers, bit by bit",
        contract=DivideContract,
        golden=divide_golden.run,
        cases=divide_cases,
        component_path="hwsim.rtl.divide.component:Divide",
    ),
    "square_root": Block(
        summary="square root, bit by bit",
        contract=SquareRootContract,
        golden=square_root_golden.run,
        cases=square_root_cases,
        component_path="hwsim.rtl.square_root.component:SquareRoot",
    ),
    "reciprocal": Block(
        summary="1/x",
        contract=ReciprocalContract,
        golden=inverse_root_golden.run,
        cases=inverse_root_cases,
        component_path="hwsim.rtl.inverse_root.component:InverseRoot",
    ),
    "rsqrt": Block(
        summary="1/sqrt(x)",
        contract=RsqrtContract,
        golden=inverse_root_golden.run,
        cases=inverse_root_cases,
        component_path="hwsim.rtl.inverse_root.component:InverseRoot",
    ),
    "online_softmax": Block(
        summary="softmax in a single pass: maximum and inverse sum of each query, scores passed through",
        contract=OnlineSoftmaxContract,
        golden=online_softmax_golden.run,
        cases=online_softmax_cases,
        component_path="hwsim.rtl.online_softmax.component:OnlineSoftmax",
    ),
    "topk_gate": Block(
        summary="gate of a mixture of experts: the best k by their probability, and the queues of the experts",
        contract=TopkGateContract,
        golden=topk_gate_golden.run,
        cases=topk_gate_cases,
        component_path="hwsim.rtl.topk_gate.component:TopkGate",
    ),
    "layernorm": Block(
        summary="layer norm: statistics of a token beside the affine map of the one before",
        contract=LayerNormContract,
        golden=layernorm_golden.run,
        cases=layernorm_cases,
        component_path="hwsim.rtl.layernorm.component:LayerNorm",
    ),
    "weight_loader": Block(
        summary="memory beats into two banks of weights and biases, one loaded while the other is read",
        contract=WeightLoaderContract,
        golden=weight_loader_golden.run,
        cases=weight_loader_cases,
        component_path="hwsim.rtl.weight_loader.component:WeightLoader",
    ),
    "qk_reorder": Block(
        summary="scores of attention in the skewed order: one query fetched a row at most",
        contract=QkReorderContract,
        golden=qk_reorder_golden.run,
        cases=qk_reorder_cases,
        component_path="hwsim.rtl.qk_reorder.component:QkReorder",
    ),
    "mv": Block(
        summary="values of attention, weighted by recomputed probabilities in the skewed order",
        contract=MvContract,
        golden=mv_golden.run,
        cases=mv_cases,
        component_path="hwsim.rtl.mv.component:Mv",
    ),
    "linear": Block(
        summary="unified linear unit: reader, weight buffers, tile, GELU, gather and score-accumulate",
        contract=LinearContract,
        golden=linear_golden.run,
        cases=linear_cases,
        component_path="hwsim.rtl.linear.component:Linear",
    ),
    "residual_add": Block(
        summary="sum of the residual stream and a branch, element by element",
        contract=ResidualAddContract,
        golden=residual_add_golden.run,
        cases=residual_add_cases,
        component_path="hwsim.rtl.residual_add.component:ResidualAdd",
    ),
    "fill": Block(
        summary="many beats of one number, such as the zeros from which experts accumulate",
        contract=FillContract,
        golden=fill_golden.run,
        cases=fill_cases,
        component_path="hwsim.rtl.fill.component:Fill",
    ),
    "norm_loader": Block(
        summary="memory beats into rows of weights and biases, as layer norm takes them",
        contract=NormLoaderContract,
        golden=norm_loader_golden.run,
        cases=norm_loader_cases,
        component_path="hwsim.rtl.norm_loader.component:NormLoader",
    ),
    "patch_embed": Block(
        summary="patch embedding: image stripes times resident weights, plus position vectors",
        contract=PatchEmbedContract,
        golden=patch_embed_golden.run,
        cases=patch_embed_cases,
        component_path="hwsim.rtl.patch_embed.component:PatchEmbed",
    ),
}
