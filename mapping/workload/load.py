"""Workloads from YAML files: flat fields of a model and of a run, checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model

from hwsim.mapping.errors import WorkloadError, nearest
from hwsim.mapping.models import MODELS
from hwsim.mapping.workload.model import Model, Name
from hwsim.mapping.workload.workload import Workload
from hwsim.mapping.yaml_file import first_problem, read_mapping

PartT = TypeVar("PartT", bound=BaseModel)

# What a file without a family was before there were several.
USUAL_FAMILY = "gpt"
MACHINE = "machine"
RANDOM = "random:"


def load_workload(path: Path | str, overrides: Mapping[str, Any] | None = None) -> Workload[Any, Any]:
    """Read a workload file.

    Parameters
    ----------
    overrides : fields that replace those of the file; a dot leads into a group (`provenance.grade`). A trace or folder
        of weights that the file names lies beside it, one that an override names beside the caller

    Raises
    ------
    WorkloadError : the message names the file, the field and what was expected
    """
    path = Path(path)
    document = read_mapping(path, WorkloadError)
    routing = document.get("routing")
    if isinstance(routing, dict):
        routing |= {name: _beside(path, given) for name, given in routing.items() if name in ("trace", "weights")}
    synonyms = _model_type({**document, **(overrides or {})}, str(path)).run_type.synonyms if overrides else {}
    for key, value in (overrides or {}).items():
        for other in _other_names(key, synonyms):
            document.pop(other, None)
        group, _, field = key.partition(".")
        inner = document.get(group)
        document[group] = {**(inner if isinstance(inner, dict) else {}), field: value} if field else value
    return check_workload(document, origin=str(path))


def _beside(workload: Path, given: Any) -> Any:
    """What a workload's file names, as the caller finds it; random weights lie nowhere."""
    if not isinstance(given, str) or given.startswith(RANDOM):
        return given
    return str(workload.parent / given)


def check_workload(document: Mapping[str, Any], *, origin: str) -> Workload[Any, Any]:
    """A workload from the mapping that a file holds; `origin` names it in messages."""
    model_type = _model_type(document, origin)
    run_type = model_type.run_type
    known = _names(model_type)
    unknown = [key for key in document if key not in known]
    if unknown:
        raise WorkloadError(f"{origin}: no field {unknown[0]!r}{_whose(unknown[0], model_type)}")
    model = _part(model_type, document, origin)
    run = _part(run_type, document, origin, synonyms=run_type.synonyms)
    machine = _machine(document, origin)
    try:
        model.check_run(run)
    except ValueError as cause:
        raise WorkloadError(f"{origin}: {cause}") from None
    return Workload(model=model, run=model.completed(run), machine=machine)


def family_of(path: Path | str, overrides: Mapping[str, Any] | None = None) -> type[Model]:
    """The class of the model in a workload file, whatever else is wrong with it.

    Raises
    ------
    WorkloadError : a file that cannot be read, an unknown family
    """
    return _model_type({**read_mapping(Path(path), WorkloadError), **(overrides or {})}, str(path))


def field_names() -> tuple[str, ...]:
    """Every field of a workload of some family, those of a group with a dot."""
    names = {MACHINE: None}
    for model in MODELS.values():
        for part in (model, model.run_type):
            for name, info in part.model_fields.items():
                group = _group(info.annotation)
                names |= dict.fromkeys([f"{name}.{field}" for field in group.model_fields] if group else [name])
        names |= dict.fromkeys(model.run_type.synonyms)
    return tuple(names)


def _names(model: type[Model]) -> list[str]:
    """Every name that a file of a family may hold."""
    return [*model.model_fields, *model.run_type.model_fields, *model.run_type.synonyms, MACHINE]


def _other_names(key: str, synonyms: Mapping[str, str]) -> list[str]:
    """What a field is called beside `key`: a value by one name replaces that by another."""
    own = synonyms.get(key, key)
    return [name for name in (own, *synonyms) if name != key and synonyms.get(name, name) == own]


def _group(annotation: Any) -> type[BaseModel] | None:
    """The fields that a field groups, where it is a group or may be one."""
    for part in get_args(annotation) or (annotation,):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def json_schema() -> dict[str, Any]:
    """JSON Schema of a workload file, for editors."""
    files = [_file_type(family, model) for family, model in MODELS.items()]
    either: TypeAdapter[Any] = TypeAdapter(reduce(or_, files))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **either.json_schema()}


def _file_type(family: str, model: type[Model]) -> type[BaseModel]:
    """The fields of a file of one family: the model's, the run's and the machine."""
    fields: dict[str, Any] = {}
    for part in (model, model.run_type):
        fields |= {name: (info.annotation, info) for name, info in part.model_fields.items()}
    for name, own in model.run_type.synonyms.items():
        annotation, info = fields[own]
        fields[name] = (annotation, Field(default=info.default, description=f"another name of {own}"))
    fields[MACHINE] = (
        Name | None,
        Field(default=None, description="machine that runs it unless --machine says otherwise"),
    )
    made: type[BaseModel] = create_model(f"{family}_workload", __config__=model.model_config, **fields)
    made.__doc__ = model.__doc__
    return made


def _model_type(document: Mapping[str, Any], origin: str) -> type[Model]:
    family = document.get("family", USUAL_FAMILY)
    if not isinstance(family, str) or family not in MODELS:
        raise WorkloadError(f"{origin}: family: expected one of {', '.join(MODELS)}, got {family!r}")
    return MODELS[family]


def _part(
    part: type[PartT], document: Mapping[str, Any], origin: str, *, synonyms: Mapping[str, str] = MappingProxyType({})
) -> PartT:
    """The model or the run, of those of a document's fields that are its own.

    Parameters
    ----------
    synonyms : other names to own ones; a message calls a field as the document does
    """
    called: dict[str, str] = {}
    for name in document:
        own = synonyms.get(name, name)
        if own in called:
            raise WorkloadError(f"{origin}: {called[own]} and {name} are one thing; give one of them")
        called[own] = name
    try:
        return part.model_validate({own: document[name] for own, name in called.items() if own in part.model_fields})
    except ValidationError as cause:
        field, colon, problem = first_problem(cause).partition(": ")
        raise WorkloadError(f"{origin}: {called.get(field, field)}{colon}{problem}") from None


def _machine(document: Mapping[str, Any], origin: str) -> str | None:
    machine: TypeAdapter[str | None] = TypeAdapter(Name | None)
    try:
        return machine.validate_python(document.get(MACHINE), strict=True)
    except ValidationError as cause:
        raise WorkloadError(f"{origin}: {MACHINE}: {first_problem(cause)}") from None


def _whose(key: str, model: type[Model]) -> str:
    """What to say of a field that this family does not have."""
    families = [name for name, other in MODELS.items() if key in _names(other)]
    if families:
        return f" in family {_family(model)}; families {', '.join(families)} have it"
    return nearest(key, _names(model))


def _family(model: type[Model]) -> str:
    return next(name for name, other in MODELS.items() if other is model)
