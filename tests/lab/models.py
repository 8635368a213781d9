"""Write each service's `model.json`: what botocore's models say of the operations that the lab serves.

A service's folder below `lab/src/cloud/services` is called as botocore calls the service, and its `operations.txt` names
the operations served, one a line. The lab checks every request against the table, so that it accepts none that AWS's own
models refuse, and reads and writes every protocol by it. `test_models.py` keeps the committed tables equal to the botocore
that is installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import botocore.session

SERVICES = Path(__file__).resolve().parents[2] / "lab" / "src" / "cloud" / "services"

SHAPE = (
    "type", "required", "enum", "pattern", "min", "max", "payload", "streaming", "box", "union", "flattened", "timestampFormat",
    "locationName", "xmlNamespace",
)  # fmt: skip
MEMBER = ("shape", "location", "locationName", "flattened", "timestampFormat", "xmlAttribute", "xmlNamespace")


# What botocore's models leave out, since it does not look: how S3 calls the root of an answer that is not called after its operation.
ROOTS = {
    "s3": {
        "CreateMultipartUpload": "InitiateMultipartUploadResult", "DeleteObjects": "DeleteResult",
        "GetBucketVersioning": "VersioningConfiguration", "ListBuckets": "ListAllMyBucketsResult", "ListObjects": "ListBucketResult",
        "ListObjectsV2": "ListBucketResult", "ListObjectVersions": "ListVersionsResult",
    },
}  # fmt: skip


def served() -> dict[str, list[str]]:
    """The services of the lab and the operations of each."""
    lists = sorted(SERVICES.glob("*/operations.txt"))
    return {path.parent.name: path.read_text(encoding="utf-8").split() for path in lists}


def path(service: str) -> Path:
    """Where a service's table lies."""
    return SERVICES / service / "model.json"


def reference_row(reference: dict[str, Any]) -> dict[str, Any]:
    """A reference to a shape with what it says of the wire."""
    return {key: reference[key] for key in MEMBER if key in reference}


def shape_row(shape: dict[str, Any]) -> dict[str, Any]:
    """One shape without its documentation; references keep their place on the wire."""
    row: dict[str, Any] = {key: shape[key] for key in SHAPE if key in shape}
    if "members" in shape:
        row["members"] = {name: reference_row(reference) for name, reference in shape["members"].items()}
    row |= {key: reference_row(shape[key]) for key in ("member", "key", "value") if key in shape}
    return row


def references(row: dict[str, Any]) -> list[str]:
    """The names of the shapes that a row names."""
    names = [reference["shape"] for reference in row.get("members", {}).values()]
    return names + [row[key]["shape"] for key in ("member", "key", "value") if key in row]


def error_row(shape: dict[str, Any]) -> dict[str, Any]:
    """What an error is called on the wire, if not as its shape, and its member with the message."""
    row = {key: shape["error"][key] for key in ("code", "httpStatusCode") if key in shape.get("error", {})}
    named = [name for name in shape.get("members", {}) if name.lower() == "message"]
    return row | ({"message": named[0]} if named else {})


def service_row(service: str, operations: list[str]) -> dict[str, Any]:
    """The table of one service: its operations, every shape that they reach, and their errors."""
    model = botocore.session.get_session().get_component("data_loader").load_service_model(service, "service-2")
    about = model["metadata"]
    shapes: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    waiting: list[str] = []
    table: dict[str, Any] = {
        "protocols": about.get("protocols", [about["protocol"]]),
        "target": about.get("targetPrefix"),
        "json": about.get("jsonVersion"),
        "signing": about.get("signingName", about["endpointPrefix"]),
        "version": about["apiVersion"],
        "namespace": about.get("xmlNamespace"),
        "operations": {},
    }
    for name in sorted(operations):
        operation = model["operations"][name]
        entry: dict[str, Any] = {"http": operation["http"]}
        for side in ("input", "output"):
            if side in operation:
                entry[side] = operation[side]["shape"]
                waiting.append(operation[side]["shape"])
        if "resultWrapper" in operation.get("output", {}):
            entry["wrapper"] = operation["output"]["resultWrapper"]
        if name in ROOTS.get(service, {}):
            entry["wrapper"] = ROOTS[service][name]
        errors |= {error["shape"]: error_row(model["shapes"][error["shape"]]) for error in operation.get("errors", [])}
        table["operations"][name] = entry
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = shape_row(model["shapes"][name])
            waiting.extend(references(shapes[name]))
    return table | {"shapes": dict(sorted(shapes.items())), "errors": dict(sorted(errors.items()))}


def text(service: str, operations: list[str]) -> str:
    """A table as its file's text: one operation, shape or error a line, so that changes can be read."""
    row = service_row(service, operations)
    lines = []
    for part, value in row.items():
        if part in ("operations", "shapes", "errors"):
            body = ",\n".join(f"{json.dumps(name)}:{json.dumps(one, separators=(',', ':'))}" for name, one in value.items())
            lines.append(f'"{part}":{{\n{body}\n}}')
        else:
            lines.append(f'"{part}":{json.dumps(value)}')
    return "{" + ",\n".join(lines) + "}\n"


if __name__ == "__main__":
    for service, operations in served().items():
        written = path(service).write_text(text(service, operations), encoding="utf-8")
        sys.stdout.write(f"{path(service)}: {written} characters\n")
