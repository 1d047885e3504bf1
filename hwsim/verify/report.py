"""The report of a verification, in a form that is versioned and stable."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hwsim.report.schema import UnconfirmedParameter

VERIFY_SCHEMA_VERSION = "1.2"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VerifiedSize(_Part):
    """What was verified of a decoder; `of_layers` and `of_vocab` are the workload's own where they were reduced."""

    layers: int
    of_layers: int
    d_model: int
    heads: int
    head_dim: int
    d_ff: int
    vocab: int
    of_vocab: int
    n_ctx: int
    prompt: int
    tokens: int
    parameters: int


class VerifiedImageSize(_Part):
    """What was verified of an encoder of images; `of_layers` is the workload's own where they were reduced.

    `experts`, `top_k` and `expert_hidden` are 0 for a model without experts.
    """

    layers: int
    of_layers: int
    tokens: int
    d_model: int
    heads: int
    head_dim: int
    d_ff: int
    experts: int
    top_k: int
    expert_hidden: int
    final_norm: bool
    parameters: int


class VerifiedAttentionSize(_Part):
    """What was verified of attention on cores: its operators alone, without linear layers, norms and activations.

    Attributes
    ----------
    layers : layers of which the operators are; 0 for a workload without layers
    operators : attention operators of the workload
    heads : heads of them all
    distinct : heads that differ in pattern or sizes, of which one each was verified
    tokens : longest sequence of keys
    """

    layers: int
    of_layers: int
    operators: int
    heads: int
    distinct: int
    tokens: int
    cores: int


class FunctionError(_Part):
    """Errors of one function against float64 on the same inputs, over all decode steps or all layers.

    `not_finite` counts results that are, or should be, infinite or NaN; maxima and means leave them out.
    `relative_to` says by what an error is divided; if that is 0 there is no relative error.
    """

    function: str
    values: int
    not_finite: int
    max_absolute: float
    mean_absolute: float
    max_relative: float
    mean_relative: float
    relative_to: str


class LayerError(_Part):
    """Distance from the float64 model's residual stream, including errors of all earlier layers.

    Of a decoder it is one token's, at the first decode step; of an encoder of images that of all tokens.
    `relative_norm` is the norm of the error over the norm of the exact stream. All are null if the machine's stream has
    a value that is infinite or NaN.
    """

    layer: str
    max_absolute: float | None
    mean_absolute: float | None
    relative_norm: float | None


class Generation(_Part):
    """Tokens chosen greedily.

    Attributes
    ----------
    reference : tokens of the float64 model
    forced : the machine's choices when it is fed the reference's tokens
    free : its choices when it is fed its own tokens
    agreement : share of equal tokens in `reference` and `forced`
    first_divergence : index of the first token in which `free` differs, null if none does
    widest_gap : where they disagree, how far in float64 the machine's token at most lies below the best one, in
        standard deviations of the logits; null if they always agree
    distinct : different tokens in `reference`; agreement on a few of them says little
    agreement_drawn : share of equal choices when both are fed tokens drawn at random, with `distinct_drawn` different
        choices; a model with random weights repeats a token when fed its own
    agreement_unrounded : share of tokens in which `forced` equals the choice of a float64 model with the weights as
        given, not rounded to the machine's format
    """

    reference: list[int]
    forced: list[int]
    free: list[int]
    agreement: float
    first_divergence: int | None
    widest_gap: float | None
    distinct: int
    agreement_drawn: float
    distinct_drawn: int
    agreement_unrounded: float


class ExpertAgreement(_Part):
    """Whether the tokens of a layer go to the same experts, in any order, as float64 sends them to.

    Attributes
    ----------
    own : share of tokens with equal experts, where float64 has followed its own choices in all layers
    forced : the same where float64 has followed the machine's choices in all earlier layers
    unrounded : as `own`, for float64 with the weights as given, not as the machine's memory holds them
    widest_gap : where `forced` disagrees, how far in float64 the worst of a token's experts lies at most below the
        best that it did not get, as a difference of logits; null where all agree
    """

    layer: int
    tokens: int
    own: float
    forced: float
    unrounded: float
    widest_gap: float | None


class LayerOverflows(_Part):
    """Values that wrapped in a layer, of how many; by the functions where there were any.

    `layer` is `weights` for tensors and image as memory holds them, where `functions` names the tensors.
    """

    layer: str
    values: int
    wrapped: int
    functions: dict[str, int]


class EncodedImages(_Part):
    """What only an encoder of images has.

    Attributes
    ----------
    task : for which the image was encoded; null without tasks
    forced : as the report's `layers`, with a float64 model that follows the machine's choice of experts; null without
        experts. In `layers` float64 follows its own
    unrounded : distance of the last stream from that of float64 with weights as given
    experts : agreement for each layer that has experts
    overflows : for each layer, before that for tensors, the embedding, and after that for the final norm
    """

    task: str | None
    forced: list[LayerError] | None
    unrounded: LayerError
    experts: list[ExpertAgreement]
    overflows: list[LayerOverflows]


class AttentionError(_Part):
    """Distance of a head's results from float64's for the same rounded inputs, and numbers that left their format.

    Attributes
    ----------
    inputs : which inputs
    softmax : `plain`, the paper's, or `safe`, with a running maximum
    rows_lost : rows of which a result or the sum is infinite or NaN
    max_absolute, mean_absolute : of the other rows; null if there are none
    max_relative : the largest error over the largest magnitude in V
    scores : computed, as many as exps
    infinite_scores : scores that are infinite or NaN
    infinite_exps, zero_exps : exps of finite scores that overflowed, and that underflowed to 0
    infinite_products : products of exp and V that overflowed
    infinite_sums : sums of a row and elements of its numerator that overflowed
    """

    inputs: str
    softmax: Literal["plain", "safe"]
    rows_lost: int
    max_absolute: float | None
    mean_absolute: float | None
    max_relative: float | None
    scores: int
    infinite_scores: int
    infinite_exps: int
    zero_exps: int
    infinite_products: int
    infinite_sums: int


class VerifiedPattern(_Part):
    """A head of attention by itself.

    Attributes
    ----------
    pattern, computed : the exact one, and the one that the machine computes, with `dropped` and `added` pairs, where it
        was asked to take another; float64 takes the computed one too
    operators : of the workload, that have such heads
    heads : such heads in all of them
    relative_bias : whether a number goes onto each score by the places of query and key
    rows, of_rows : queries that were computed, and those of a sequence; those without keys are left out
    passes : in which rows go through the cores
    """

    pattern: str
    computed: str
    operators: list[str]
    heads: int
    head_dim: int
    value_dim: int
    scale: float
    relative_bias: bool
    rows: int
    of_rows: int
    keys: int
    passes: int
    dropped: int
    added: int
    errors: list[AttentionError]


class AttentionVerified(_Part):
    """What only attention on cores has.

    Attributes
    ----------
    format, sum_format : of Q, K, V, exps and results, and of sums
    """

    format: str
    sum_format: str
    patterns: list[VerifiedPattern]


class VerifyReport(_Part):
    """How far a machine's arithmetic is from float64.

    `lm_head` and `generation` are null except for decoders, `encoding` except for encoders of images. `attention` is
    null except for machines that are attention on cores, for which `functions` and `layers` are empty.
    """

    schema_version: str = VERIFY_SCHEMA_VERSION
    hwsim_version: str
    machine: str
    workload: str
    weights: str
    seed: int | None
    size: VerifiedSize | VerifiedImageSize | VerifiedAttentionSize
    lm_head: str | None = None
    functions: list[FunctionError]
    layers: list[LayerError]
    generation: Generation | None = None
    encoding: EncodedImages | None = None
    attention: AttentionVerified | None = None
    blocks: dict[str, dict[str, Any]]
    parameters: dict[str, Any]
    unconfirmed: list[UnconfirmedParameter]

    def to_json(self) -> str:
        """JSON text with a newline at its end; the same verification gives the same bytes."""
        return self.model_dump_json(indent=2) + "\n"
