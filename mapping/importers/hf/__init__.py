"""A workload from the `config.json` of a model of Hugging Face transformers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.mapping.errors import ConfigError
from hwsim.mapping.importers.hf.config import Config
from hwsim.mapping.importers.hf.families import LANGUAGE_HEADS, find_family
from hwsim.mapping.importers.hf.known_fields import refuse_unsupported, unknown_fields
from hwsim.mapping.importers.workload_text import workload_text
from hwsim.mapping.models import MODELS
from hwsim.mapping.workload.load import check_workload
from hwsim.mapping.workload.workload import Workload

MAX_BYTES = 16 << 20  # labels of 20,000 classes fit
USUAL_TOKENS = 128
BIASES = ("qkv_bias", "proj_bias", "mlp_bias")  # which are those of all matrices unless given
FORMATS = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of a file.

    Attributes
    ----------
    text : the workload's YAML
    warnings : a line each
    """

    workload: Workload[Any, Any]
    text: str
    warnings: tuple[str, ...]


def import_file(
    path: Path, *, name: str | None = None, machine: str | None = None, tokens: int | None = None
) -> Imported:
    """Read a file; see `import_config`.

    Raises
    ------
    ConfigError : it cannot be read; and as `import_config`
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as cause:
        raise ConfigError(f"{path}: cannot be read: {cause.strerror or cause}") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes, expected a config.json")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text, expected JSON") from None
    title = path.resolve().parent.name if path.name == "config.json" else path.stem
    return import_config(text, origin=str(path), title=title, name=name, machine=machine, tokens=tokens)


def import_config(
    text: str,
    *,
    origin: str,
    title: str,
    name: str | None = None,
    machine: str | None = None,
    tokens: int | None = None,
) -> Imported:
    """A workload from the text of a `config.json`.

    Parameters
    ----------
    origin : what messages call the file
    title : what the model is called unless the file says it
    name : the workload's name; the model's in snake case unless given
    machine : the machine that runs it; none unless given
    tokens : tokens of a run

    Raises
    ------
    ConfigError : no JSON, an unknown family (names the nearest), a missing field or one of a wrong type, fields that
        contradict each other or change the graph in a way that cannot be said
    WorkloadError : fields that a workload cannot have
    """
    config = Config.read(text, origin=origin)
    family = find_family(config)
    refuse_unsupported(config)
    title = config.maybe_text("_name_or_path", "name_or_path") or title
    model = family.read(config)
    known = {
        "name": name or snake_case(title),
        "family": model.pop("family"),
        "machine": machine,
        **model,
        "format": _format(config),
        **_run(model, tokens),
        "provenance": {"grade": "S", "source": f"config.json of {title}"[:300]},
    }
    fields = {field: value for field, value in known.items() if not _is_usual(known, field)}
    return Imported(
        workload=check_workload(fields, origin=origin),
        text=workload_text(fields, config.comments, heading=_heading(config)),
        warnings=_warnings(config),
    )


def snake_case(title: str) -> str:
    """A model's name as a workload may have it: `mistralai/Mistral-7B-v0.1` is `mistral_7b_v0_1`."""
    words = re.findall(r"[a-z0-9]+", title.rstrip("/").rpartition("/")[2].lower())
    name = "_".join(words)
    return (name if name[:1].isalpha() else f"model_{name}".rstrip("_"))[:64]


def _format(config: Config) -> str | None:
    dtype = config.maybe_text("dtype", "torch_dtype")
    if dtype is None:
        return None  # a workload's usual one
    if dtype.removeprefix("torch.") not in FORMATS:
        raise config.error("dtype", f"expected one of {', '.join(FORMATS)}, found {dtype!r}")
    return FORMATS[dtype.removeprefix("torch.")]


def _run(model: dict[str, Any], tokens: int | None) -> dict[str, Any]:
    return {"tokens": min(USUAL_TOKENS, model["n_ctx"]) if tokens is None else tokens}


def _is_usual(fields: dict[str, Any], field: str) -> bool:
    """Whether a field says what the workload has without it, or nothing."""
    value, family = fields[field], MODELS[fields["family"]].model_fields
    if value is None or field in BIASES:
        return value is None or value == fields.get("bias", family["bias"].default)
    return field in family and field != "family" and bool(family[field].default == value)


def _heading(config: Config) -> list[str]:
    classes = ", ".join(config.maybe_texts("architectures") or ())
    lines = [f"imported by `hwsim import hf`{f' from a file of {classes}' if classes else ''}"]
    if config.defaults:
        said = ", ".join(f"{name} {_said(value)}" for name, value in config.defaults.items())
        lines.append(f"not in the file, taken from the defaults of its class: {said}")
    return lines


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _warnings(config: Config) -> tuple[str, ...]:
    unknown = [f"{name}: not known here; it may change the model" for name in unknown_fields(config)]
    heads = [
        f"architectures: {name}: imported with a vocabulary projection in place of its head"
        for name in config.maybe_texts("architectures") or ()
        if not name.endswith(LANGUAGE_HEADS)
    ]
    return tuple(f"{config.origin}: {line}" for line in unknown + heads)
