"""Encoders of images with experts and tasks: M3ViT, as Edge-MoE runs it too."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.errors import nearest
from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.blocks import Block
from hwsim.mapping.models.image_encoder import ImageEncoder
from hwsim.mapping.operators import ExpertFfn, Operator, Route
from hwsim.mapping.parallel import Split, require_whole
from hwsim.mapping.step import Step
from hwsim.mapping.workload.image_run import TaskRun
from hwsim.mapping.workload.model import Model, Name
from hwsim.mapping.workload.run import Run

TaskNames = Annotated[tuple[Name, ...], Field(min_length=1, max_length=1_000)]


class MoeVitModel(ImageEncoder, Model):
    """A vision transformer in which some layers have experts in place of the hidden layer."""

    run_type: ClassVar[type[Run]] = TaskRun

    family: Literal["moe_vit"] = "moe_vit"
    experts: int = Field(ge=1, le=100_000, description="experts of a layer that has them")
    top_k: int = Field(ge=1, le=100_000, description="experts of a token")
    expert_hidden: int = Field(ge=1, le=10_000_000, description="hidden units of an expert")
    moe_every: int = Field(
        default=2, ge=1, le=10_000, description="the last of every so many layers has experts: of two, the second"
    )
    task_names: TaskNames = Field(default=("main",), strict=False, description="what it can do, one at a time")
    gate: Literal["task", "shared"] = Field(
        default="task", description="whether each task chooses experts by a matrix of its own, or all by one"
    )
    task_embedding: int = Field(
        default=0, ge=0, le=1_000_000, description="elements of a task's learned vector that a shared gate reads too"
    )
    final_norm: bool = Field(default=True, description="whether a norm follows the layers")

    @model_validator(mode="after")
    def _experts_and_tasks(self) -> Self:
        if self.top_k > self.experts:
            raise ValueError(f"top_k: a token cannot go to {self.top_k} of {self.experts} experts")
        if self.moe_every > self.layers:
            raise ValueError(f"moe_every {self.moe_every} leaves {self.layers} layers without experts; see family vit")
        if len(set(self.task_names)) < len(self.task_names):
            raise ValueError(f"task_names: expected different names, got {', '.join(self.task_names)}")
        if self.task_embedding and self.gate != "shared":
            raise ValueError("task_embedding goes with gate: shared, and with no other")
        return self

    def check_run(self, run: Run) -> None:
        assert isinstance(run, TaskRun)
        unknown = [task for task in run.tasks or () if task not in self.task_names]
        if unknown:
            raise ValueError(f"tasks: the model has no task {unknown[0]!r}{nearest(unknown[0], self.task_names)}")
        run.routing.check(self.experts, self.top_k)

    def completed(self, run: Run) -> Run:
        assert isinstance(run, TaskRun)
        images = None if run.frames else run.produced
        return run.model_copy(update={"tasks": run.tasks or self.task_names, "images": images})

    def has_experts(self, layer: int) -> bool:
        """Whether a layer, counted from 0, has experts."""
        return layer % self.moe_every == self.moe_every - 1

    @property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.layers // self.moe_every

    @property
    def expert_weights(self) -> int:
        """Weights in the matrices of one expert."""
        return 2 * self.d_model * self.expert_hidden

    @property
    def gate_width(self) -> int:
        """Elements that a gate reads of each token."""
        return self.d_model + self.task_embedding

    @property
    def parameters(self) -> int:
        d, tasks = self.d_model, len(self.task_names)
        expert = self.expert_weights + self.bias * (self.expert_hidden + d)
        gates = (tasks if self.gate == "task" else 1) * self.experts * self.gate_width
        layers = self.layers * (self.attention_parameters + 2 * d)
        dense = (self.layers - self.moe_layers) * self.mlp_parameters
        moe = self.moe_layers * (self.experts * expert + gates)
        outside = self.embedding_parameters + tasks * self.task_embedding + self.final_norm * 2 * d
        return outside + layers + dense + moe

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form; the load does not change them."""
        dense = (self.layers - self.moe_layers) * step.tokens * self.mlp_weights
        gate = self.experts * self.gate_width
        moe = self.moe_layers * step.tokens * (gate + self.top_k * self.expert_weights)
        return self.embedding_macs(step) + self.layers * self.attention_branch_macs(step) + dense + moe

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        outside = Block(fmt=parse_format(self.format))
        inputs, embed = self.embedding(outside)
        operators: list[Operator] = [embed]
        for layer in range(self.layers):
            operators += self._layer(Block(fmt=outside.fmt, layer=layer), operators[-1].name)
        if self.final_norm:
            operators.append(outside.norm("final_norm", operators[-1].name, self.d_model))
        return OperatorGraph(name=self.name, inputs=inputs, operators=operators)

    def _layer(self, block: Block, x: str) -> list[Operator]:
        d = self.d_model
        attention = self.attention_branch(block, x)
        add1 = attention[-1].name
        norm2 = block.norm("norm2", add1, d)
        assert block.layer is not None
        if self.has_experts(block.layer):
            mlp = self._experts(block, norm2.name)
        else:
            mlp = block.mlp(norm2.name, d, self.ff_size, self.activation, bias=self.bias)
        return [*attention, norm2, *mlp, block.add("add2", add1, mlp[-1].name, d)]

    def _experts(self, block: Block, x: str) -> list[Operator]:
        """The choice of experts and the experts, which read `x`."""
        choice: dict[str, Any] = {"width": self.d_model, "experts": self.experts, "top_k": self.top_k}
        route = Route(
            name=block.name("route"), role="route", layer=block.layer, inputs=(x,), fmt=block.fmt,
            tasks=len(self.task_names) if self.gate == "task" or self.task_embedding else 1,
            task_embedding=self.task_embedding, **choice,
        )  # fmt: skip
        experts = ExpertFfn(
            name=block.name("experts"), role="experts", layer=block.layer, inputs=(x, route.name), fmt=block.fmt,
            hidden=self.expert_hidden, function=self.activation, bias=self.bias, **choice,
        )  # fmt: skip
        return [route, experts]

    def summary(self) -> str:
        experts = f"{self.top_k} of {self.experts} experts in {self.moe_layers}"
        return f"{super().summary()}, {experts}, {len(self.task_names)} tasks, {self.parameters / 1e6:.1f} M parameters"
