"""From a `config.json` to the text of a workload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.mapping.errors import ConfigError
from hwsim.mapping.importers.hf.config import Config
from hwsim.mapping.importers.hf.families import LANGUAGE_HEADS, Family, find_family
from hwsim.mapping.importers.hf.known_fields import refuse_unsupported, unknown_fields
from hwsim.mapping.importers.workload_text import one_line, workload_text
from hwsim.mapping.models import MODELS
from hwsim.mapping.workload.load import check_workload
from hwsim.mapping.workload.run import DecoderRun
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
    title = one_line(config.maybe_text("_name_or_path", "name_or_path") or title)
    model = family.read(config)
    known = {
        "name": name or snake_case(title),
        "family": model["family"],
        "machine": machine,
        **model,
        "format": _format(config),
        **_run(config, model, tokens),
        "provenance": {"grade": "S", "source": f"config.json of {title}"[:300]},
    }
    fields = {field: value for field, value in known.items() if not _is_usual(known, field)}
    return Imported(
        workload=check_workload(fields, origin=origin),
        text=workload_text(fields, config.comments, heading=_heading(config, family)),
        warnings=_warnings(config, family),
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


def _run(config: Config, model: dict[str, Any], tokens: int | None) -> dict[str, Any]:
    """Fields of the run: some tokens of a decoder, an encoder's longest sequence, one image."""
    run_type = MODELS[model["family"]].run_type
    if "tokens" not in run_type.model_fields:
        if tokens is not None:
            raise ConfigError(f"{config.origin}: --tokens {tokens}: the patches of an image are its tokens")
        return {}
    usual = min(USUAL_TOKENS, model["n_ctx"]) if run_type is DecoderRun else model["n_ctx"]
    return {"tokens": usual if tokens is None else tokens}


def _is_usual(fields: dict[str, Any], field: str) -> bool:
    """Whether a field says what the workload has without it, or nothing."""
    value, family = fields[field], MODELS[fields["family"]].model_fields
    if value is None or field in BIASES:
        return value is None or value == fields.get("bias", family["bias"].default)
    if field == "family" or field not in family:
        return False
    default = family[field].default
    return bool(value == (list(default) if isinstance(default, tuple) else default))


def _heading(config: Config, family: Family) -> list[str]:
    classes = ", ".join(config.maybe_texts("architectures") or ())
    lines = [f"imported by `hwsim import hf`{f' from a file of {classes}' if classes else ''}"]
    if not family.has_head:
        lines.append("the base class, without the head of a task")
    if config.defaults:
        said = ", ".join(f"{name} {_said(value)}" for name, value in config.defaults.items())
        lines.append(f"not in the file, taken from the defaults of its class: {said}")
    return lines


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _warnings(config: Config, family: Family) -> tuple[str, ...]:
    unknown = [f"{name}: not known here; it may change the model" for name in unknown_fields(config)]
    heads = [
        f"architectures: {name}: imported with a vocabulary projection in place of its head"
        for name in config.maybe_texts("architectures") or ()
        if family.has_head and not name.endswith(LANGUAGE_HEADS)
    ]
    return tuple(f"{config.origin}: {one_line(line)}" for line in unknown + heads)
