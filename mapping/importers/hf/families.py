"""Which importer reads the files of a family, by their `model_type`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hwsim.mapping.errors import nearest
from hwsim.mapping.importers.hf.bert import bert, roberta
from hwsim.mapping.importers.hf.config import Config
from hwsim.mapping.importers.hf.experts import mixtral, qwen3_moe
from hwsim.mapping.importers.hf.gemma import gemma2, gemma3, gemma3_text
from hwsim.mapping.importers.hf.gpt import gpt2, gpt_neox
from hwsim.mapping.importers.hf.llama import llama, mistral, phi3, qwen2, qwen3
from hwsim.mapping.importers.hf.long_text import big_bird, longformer, modernbert
from hwsim.mapping.importers.hf.phi import phi
from hwsim.mapping.importers.hf.vit import deit, vit


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of transformers.

    Attributes
    ----------
    classes : how the names of its model classes begin, which files list as `architectures`
    has_head : whether a workload ends with the vocabulary projection, as files of its classes do; otherwise it is the
        base class, without the head of a task
    read : from a file to the fields of the model in a workload; those that are None are not written
    """

    classes: str
    has_head: bool = True
    read: Callable[[Config], dict[str, Any]]


FAMILIES: dict[str, Family] = {
    "gpt2": Family(classes="GPT2", read=gpt2),
    "gpt_neox": Family(classes="GPTNeoX", read=gpt_neox),
    "llama": Family(classes="Llama", read=llama),
    "mistral": Family(classes="Mistral", read=mistral),
    "qwen2": Family(classes="Qwen2", read=qwen2),
    "qwen3": Family(classes="Qwen3", read=qwen3),
    "qwen3_moe": Family(classes="Qwen3Moe", read=qwen3_moe),
    "mixtral": Family(classes="Mixtral", read=mixtral),
    "gemma2": Family(classes="Gemma2", read=gemma2),
    "gemma3": Family(classes="Gemma3", read=gemma3),
    "gemma3_text": Family(classes="Gemma3", read=gemma3_text),
    "phi": Family(classes="Phi", read=phi),
    "phi3": Family(classes="Phi3", read=phi3),
    "bert": Family(classes="Bert", read=bert, has_head=False),
    "roberta": Family(classes="Roberta", read=roberta, has_head=False),
    "xlm-roberta": Family(classes="XLMRoberta", read=roberta, has_head=False),
    "vit": Family(classes="ViT", read=vit, has_head=False),
    "deit": Family(classes="DeiT", read=deit, has_head=False),
    "longformer": Family(classes="Longformer", read=longformer, has_head=False),
    "big_bird": Family(classes="BigBird", read=big_bird, has_head=False),
    "modernbert": Family(classes="ModernBert", read=modernbert, has_head=False),
}

# How the names of classes go on after their family.
CLASS_ENDINGS = ("For", "Model", "LMHead", "DoubleHeads", "Text")
# The classes that end with a vocabulary projection.
LANGUAGE_HEADS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")


def find_family(config: Config) -> Family:
    """The family of a file.

    Raises
    ------
    ConfigError : one that is not known here, with the nearest; an architecture of another family than the model type
    """
    architectures = config.maybe_texts("architectures") or ()
    if config.fields.get("model_type") is None:
        return _by_architecture(config, architectures)
    name = config.text("model_type")
    if name not in FAMILIES:
        raise config.error("model_type", f"no importer for {name!r}{nearest(name, FAMILIES)}")
    for architecture in architectures:
        if not _is_of(architecture, FAMILIES[name]):
            raise config.error("architectures", f"{architecture} is no class of model_type {name}")
    return FAMILIES[name]


def _by_architecture(config: Config, architectures: tuple[str, ...]) -> Family:
    """For files without a model type, of which there are old ones."""
    if not architectures:
        raise config.error("model_type", "this field is missing, and so is architectures")
    for family in FAMILIES.values():
        if _is_of(architectures[0], family):
            return family
    known = {family.classes.lower(): name for name, family in FAMILIES.items()}
    close = nearest(architectures[0].partition("For")[0].lower(), known)
    raise config.error("architectures", f"no importer for {architectures[0]}{close}")


def _is_of(architecture: str, family: Family) -> bool:
    start, name = family.classes.lower(), architecture.lower()
    ending = architecture[len(start) :]
    return name.startswith(start) and ending.startswith(CLASS_ENDINGS)
