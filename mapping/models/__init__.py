"""The model families: each file has a family's fields, its closed forms and its operator graph."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.decoder import GptModel, LlamaModel
from hwsim.mapping.models.encoder import EncoderModel
from hwsim.mapping.models.hat import HatModel
from hwsim.mapping.models.kernel import KernelModel
from hwsim.mapping.models.long_context import LongBertModel, ModernBertModel
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.mapping.models.swin import SwinModel
from hwsim.mapping.models.vit import VitModel
from hwsim.mapping.parallel import WHOLE, Split
from hwsim.mapping.passes.quantise import quantise
from hwsim.mapping.scheme import Scheme
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.workload import Workload

MODELS: dict[str, type[Model]] = {
    "gpt": GptModel,
    "llama": LlamaModel,
    "bert": EncoderModel,
    "long_context": LongBertModel,
    "modernbert": ModernBertModel,
    "hat": HatModel,
    "vit": VitModel,
    "moe_vit": MoeVitModel,
    "swin": SwinModel,
    "kernel": KernelModel,
}


def build_graph(workload: Workload[Any, Any], split: Split = WHOLE) -> OperatorGraph:
    """Operators of one step of a workload.

    Parameters
    ----------
    split : where the model is one device's share of a larger one, what the device does together with others
    """
    graph: OperatorGraph = workload.model.graph(workload.run, split)
    scheme: Scheme = workload.model.scheme
    return graph if scheme.changes_nothing else quantise(graph, scheme)
