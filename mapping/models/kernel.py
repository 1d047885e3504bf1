"""One operator by itself, for bringing up a machine: a head of attention, a matrix, a norm."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.kernels import KERNELS, KernelName
from hwsim.mapping.models.pattern_text import check_fit, check_text
from hwsim.mapping.operators import Dim
from hwsim.mapping.operators.act import ActFunction
from hwsim.mapping.parallel import Split, require_whole
from hwsim.mapping.patterns import Pattern, parse_pattern
from hwsim.mapping.step import Step
from hwsim.mapping.workload.loads import Load
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.row_run import RowRun
from hwsim.mapping.workload.run import Run


class KernelModel(Model):
    """An operator with its sizes; each kind has some of the fields."""

    run_type: ClassVar[type[Run]] = RowRun

    family: Literal["kernel"] = "kernel"
    operator: KernelName
    width: int | None = Field(default=None, ge=1, le=100_000_000, description="elements of a row")
    d_out: int | None = Field(default=None, ge=1, le=100_000_000, description="elements of a result, for linear")
    heads: int | None = Field(default=None, ge=1, le=100_000, description="heads, for attention and softmax")
    kv_heads: int | None = Field(default=None, ge=1, le=100_000, description="heads of keys and values, if fewer")
    head_dim: int | None = Field(default=None, ge=1, le=1_000_000, description="elements of a query and a key")
    value_dim: int | None = Field(default=None, ge=1, le=1_000_000, description="elements of a value, if others")
    pattern: str | None = Field(default=None, description="which keys a query sees (docs/patterns.md)")
    function: ActFunction | None = Field(default=None, description="of act, glu and the experts' hidden units")
    bias: bool | None = Field(default=None, description="whether there are biases; there are unless it says false")
    experts: int | None = Field(default=None, ge=1, le=100_000)
    top_k: int | None = Field(default=None, ge=1, le=100_000, description="experts of a row")
    hidden: int | None = Field(default=None, ge=1, le=10_000_000, description="hidden units of an expert")
    gated: bool | None = Field(default=None, description="whether experts are gated; they are not unless it says true")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kernel = KERNELS[self.operator]
        for name in SIZES:
            given = getattr(self, name) is not None
            if given and name not in (*kernel.needs, *kernel.may_have):
                owners = [other for other, k in KERNELS.items() if name in (*k.needs, *k.may_have)]
                raise ValueError(f"{name} goes with operator: {', '.join(owners)}; this is {self.operator}")
            if not given and name in kernel.needs:
                raise ValueError(f"operator: {self.operator} needs {', '.join(kernel.needs)}; {name} is not given")
        self._check_sizes()
        return self

    def _check_sizes(self) -> None:
        if self.experts and self.top_k and self.top_k > self.experts:
            raise ValueError(f"top_k: a row cannot go to {self.top_k} of {self.experts} experts")
        if self.heads and self.heads % (self.kv_heads or 1):
            raise ValueError(f"{self.heads} heads do not share {self.kv_heads} kv_heads evenly")
        if self.pattern is not None:
            check_text(self.pattern)

    def check_run(self, run: Run) -> None:
        assert isinstance(run, RowRun)
        if run.source is not None and self.pattern is None:
            raise ValueError(f"source goes with operator: attention, softmax; this is {self.operator}")
        if run.routing is not None and self.experts is None:
            raise ValueError(f"routing goes with operator: route, expert_ffn; this is {self.operator}")
        if run.routing is not None and self.experts and self.top_k:
            run.routing.check(self.experts, self.top_k)
        if self.pattern is not None:
            keys = run.rows if run.source is None else run.source
            cross = run.source is not None
            check_fit(self.pattern, heads=self.size("heads"), queries=run.rows, keys=keys, cross=cross)

    def completed(self, run: Run) -> Run:
        assert isinstance(run, RowRun)
        return run.model_copy(update={"routing": run.routing or (Load() if self.experts else None)})

    @property
    def attention_pattern(self) -> Pattern:
        return parse_pattern(self.pattern or "full")

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.size("heads")

    @property
    def value_size(self) -> int:
        """Elements of a value."""
        return self.value_dim or self.size("head_dim")

    def size(self, name: str) -> int:
        """A field that operators of this kind have."""
        value = getattr(self, name)
        assert isinstance(value, int)
        return value

    @property
    def has_bias(self) -> bool:
        return self.bias is not False

    @property
    def parameters(self) -> int:
        return KERNELS[self.operator].parameters(self)

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form."""
        return KERNELS[self.operator].macs(self, step)

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        assert isinstance(run, RowRun)
        keys: Dim = "tokens" if run.source is None else "source"
        inputs, operator = KERNELS[self.operator].make(self, parse_format(self.format), keys)
        return OperatorGraph(name=self.name, inputs=inputs, operators=[operator])

    def summary(self) -> str:
        given = [f"{name} {getattr(self, name)}" for name in SIZES if getattr(self, name) is not None]
        return f"{self.operator}: {', '.join(given)}"


# The fields of which each kind of operator has some.
SIZES = tuple(name for name in KernelModel.model_fields if name not in (*Model.model_fields, "operator"))
