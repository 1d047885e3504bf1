"""BERT and RoBERTa."""

from __future__ import annotations

from typing import Any

from hwsim.mapping.importers.hf.activations import activation
from hwsim.mapping.importers.hf.config import MOST_LAYERS, Config
from hwsim.mapping.importers.hf.heads import heads


def bert(config: Config) -> dict[str, Any]:
    """BERT: as many positions as the table has rows."""
    return {"family": "bert", **bert_form(config), "n_ctx": config.integer("max_position_embeddings")}


def roberta(config: Config) -> dict[str, Any]:
    """RoBERTa (and XLM-RoBERTa): BERT, whose positions begin after that of padding."""
    return {"family": "bert", **bert_form(config), **positions_after_padding(config)}


def bert_form(config: Config, *, act: str = "gelu") -> dict[str, Any]:
    """What encoders of BERT's form have in common: the base class, which ends with the pooler.

    Parameters
    ----------
    act : the class's own activation, where a file names none
    """
    config.refuse("position_embedding_type", "other than learned positions are not imported", harmless=_LEARNED)
    config.refuse("is_decoder", "an encoder that decodes is not imported")
    config.ignore("tie_word_embeddings")  # of heads
    return {
        "layers": config.integer("num_hidden_layers", most=MOST_LAYERS),
        **heads(config, grouped=False),
        "d_ff": config.integer("intermediate_size"),
        "activation": activation(config, "hidden_act", default=act),
        "vocab": config.integer("vocab_size"),
        "segments": config.integer("type_vocab_size", default=2),
    }


def positions_after_padding(config: Config) -> dict[str, Any]:
    """The workload's `n_ctx` and `position_offset`, where the first token's position is that after padding's number.

    Raises
    ------
    ConfigError : a table of positions that ends there
    """
    rows = config.integer("max_position_embeddings")
    padding = config.maybe_integer("pad_token_id", least=0)
    offset = (config.integer("pad_token_id", default=1) if padding is None else padding) + 1
    if rows <= offset:
        raise config.error("max_position_embeddings", f"{rows} positions, of which the first {offset} are padding's")
    config.comments["n_ctx"] = f"max_position_embeddings {rows} begin with {offset} that no token has"
    return {"n_ctx": rows - offset, "position_offset": offset}


_LEARNED = (None, "absolute")
