"""Write lab/src/cloud/models.json: what botocore's models say of the operations that the lab serves.

The lab checks every request against this table, so that it accepts none that AWS's own models refuse. `test_models.py`
keeps the committed table equal to the botocore that is installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session

TABLE = Path(__file__).resolve().parents[2] / "lab" / "src" / "cloud" / "models.json"

SERVED: dict[str, list[str]] = {
    "lambda": [
        "CreateAlias", "CreateCodeSigningConfig", "CreateFunction", "DeleteAlias", "DeleteFunction",
        "DeleteFunctionCodeSigningConfig", "DeleteFunctionConcurrency", "DeleteLayerVersion",
        "DeleteProvisionedConcurrencyConfig", "GetAccountSettings", "GetAlias", "GetCodeSigningConfig", "GetFunction",
        "GetFunctionCodeSigningConfig", "GetFunctionConcurrency", "GetFunctionConfiguration", "GetLayerVersion",
        "GetLayerVersionByArn", "GetProvisionedConcurrencyConfig", "Invoke", "ListAliases", "ListFunctions",
        "ListLayerVersions", "ListLayers", "ListProvisionedConcurrencyConfigs", "ListTags", "ListVersionsByFunction",
        "PublishLayerVersion", "PublishVersion", "PutFunctionCodeSigningConfig", "PutFunctionConcurrency",
        "PutProvisionedConcurrencyConfig", "TagResource", "UntagResource", "UpdateAlias", "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    ],
    "ssm": [
        "AddTagsToResource", "CreateDocument", "DeleteDocument", "DeleteParameter", "DeleteParameters",
        "DescribeAutomationExecutions", "DescribeAutomationStepExecutions", "DescribeDocument", "DescribeParameters",
        "GetAutomationExecution", "GetDocument", "GetParameter", "GetParameters", "GetParametersByPath",
        "ListDocumentVersions", "ListDocuments", "ListTagsForResource", "PutParameter", "RemoveTagsFromResource",
        "StartAutomationExecution", "StopAutomationExecution", "UpdateDocument", "UpdateDocumentDefaultVersion",
    ],
    "resourcegroupstaggingapi": ["GetResources"],
    "sts": ["GetCallerIdentity"],
}  # fmt: skip

KEEP = (
    "type", "required", "enum", "pattern", "min", "max", "location", "locationName", "payload", "streaming", "box",
    "union",
)  # fmt: skip


def shape_row(shape: dict[str, Any]) -> dict[str, Any]:
    """One shape without its documentation; member references keep their place on the wire."""
    row: dict[str, Any] = {key: shape[key] for key in KEEP if key in shape}
    if "members" in shape:
        row["members"] = {
            name: {key: ref[key] for key in ("shape", "location", "locationName") if key in ref}
            for name, ref in shape["members"].items()
        }
    for key in ("member", "key", "value"):
        if key in shape:
            row[key] = shape[key]["shape"]
    return row


def references(row: dict[str, Any]) -> list[str]:
    """The names of the shapes that a row names."""
    names = [ref["shape"] for ref in row.get("members", {}).values()]
    return names + [row[key] for key in ("member", "key", "value") if key in row]


def service_row(service: str, operations: list[str]) -> dict[str, Any]:
    """The table's entry of one service: its operations and every shape they reach."""
    model = botocore.session.get_session().get_component("data_loader").load_service_model(service, "service-2")
    rows: dict[str, Any] = {}
    waiting: list[str] = []
    table: dict[str, Any] = {"target": model["metadata"].get("targetPrefix"), "operations": {}}
    for name in sorted(operations):
        operation = model["operations"][name]
        entry: dict[str, Any] = {"http": operation["http"]}
        for side in ("input", "output"):
            if side in operation:
                entry[side] = operation[side]["shape"]
                waiting.append(operation[side]["shape"])
        table["operations"][name] = entry
    while waiting:
        name = waiting.pop()
        if name not in rows:
            rows[name] = shape_row(model["shapes"][name])
            waiting.extend(references(rows[name]))
    table["shapes"] = dict(sorted(rows.items()))
    return table


def table() -> str:
    """The whole table as the file's text: one service, operation or shape a line, so that changes can be read."""
    services = []
    for service, operations in SERVED.items():
        row = service_row(service, operations)
        lines = [f'"target":{json.dumps(row["target"])}']
        for part in ("operations", "shapes"):
            body = ",\n".join(
                f"{json.dumps(name)}:{json.dumps(value, separators=(',', ':'))}" for name, value in row[part].items()
            )
            lines.append(f'"{part}":{{\n{body}\n}}')
        services.append(f"{json.dumps(service)}:{{{','.join(lines)}}}")
    return "{\n" + ",\n".join(services) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(table())
    sys.stdout.write(f"{TABLE}: {len(table())} bytes\n")
