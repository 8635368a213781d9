"""A request held against botocore's model of it: names, types, lengths, ranges and patterns, the latter three of which botocore leaves to AWS."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator


@cache
def service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def problems(service_name: str, operation: str, request: dict[str, Any]) -> list[str]:
    """What AWS would refuse of a request, by the model alone."""
    shape = service(service_name).operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    return ([report.generate_report()] if report.has_errors() else []) + bounds(shape, request, operation)


def bounds(shape: Shape, value: Any, path: str) -> list[str]:
    metadata: dict[str, Any] = shape.metadata
    found: list[str] = []
    size = value if shape.type_name in ("integer", "long") else len(value) if isinstance(value, (str, list, dict)) else None
    if size is not None and not metadata.get("min", size) <= size <= metadata.get("max", size):
        found.append(f"{path}: {size} is not from {metadata.get('min')} to {metadata.get('max')}")
    if isinstance(value, str) and "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        found.append(f"{path}: `{value}` is not `{metadata['pattern']}`")
    if isinstance(value, str) and metadata.get("enum") and value not in metadata["enum"]:
        found.append(f"{path}: `{value}` is none of {metadata['enum']}")
    members: Any = getattr(shape, "members", {}) if shape.type_name == "structure" else {}
    for name, child in value.items() if isinstance(value, dict) else []:
        if shape.type_name == "map":
            found += bounds(shape.key, name, f"{path}.{name}") + bounds(shape.value, child, f"{path}.{name}")
        elif name in members:
            found += bounds(members[name], child, f"{path}.{name}")
    if shape.type_name == "list":
        for at, child in enumerate(value):
            found += bounds(shape.member, child, f"{path}[{at}]")
    return found
