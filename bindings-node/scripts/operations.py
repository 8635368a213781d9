"""Writes the table by which the addon names the operation of a call to a REST service, whose requests do not: for each service
by its signing name, method, path and query of each operation, as botocore's models have them.

Usage: `python3 operations.py OUT.txt`, with botocore installed.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import botocore.loaders

# Services that functions call by REST; of those that share a signing name, the ones before others win.
SERVICES = [
    "lambda",
    "s3",
    "apigatewaymanagementapi",
    "apigateway",
    "apigatewayv2",
    "appconfigdata",
    "appsync",
    "batch",
    "bedrock-agent-runtime",
    "bedrock-runtime",
    "cloudfront",
    "efs",
    "eks",
    "iot-data",
    "lexv2-runtime",
    "location",
    "mediaconvert",
    "opensearch",
    "pinpoint",
    "pipes",
    "polly",
    "rds-data",
    "route53",
    "sagemaker-runtime",
    "scheduler",
    "sesv2",
    "xray",
]
# What a header or the host alone tells from others: those count as the others.
AS_OTHERS = {"s3": {"CopyObject", "UploadPartCopy", "RenameObject", "ListDirectoryBuckets"}}
LABEL = re.compile(r"\{[^}+]*(\+?)\}")


def operations(model: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Method, path with its query, name."""
    found = []
    for name, operation in model["operations"].items():
        if operation.get("deprecated"):
            continue
        path, _, query = operation["http"]["requestUri"].partition("?")
        shape = model["shapes"].get(operation.get("input", {}).get("shape"), {})
        members = shape.get("members", {})
        asked = [part for part in query.split("&") if part and "{" not in part]
        for member in shape.get("required", []):
            if members[member].get("location") == "querystring":
                asked.append(members[member]["locationName"])
        place = LABEL.sub(lambda label: "{" + label[1] + "}", path)
        found.append((operation["http"]["method"], place + "".join(f"?{part}" for part in sorted(set(asked))), name))
    return found


def weight(line: tuple[str, str, str]) -> tuple[int, list[bool], str]:
    """What asks for more comes first; of paths, what is literal."""
    _, place, name = line
    path, *asked = place.split("?")
    return (-len(asked), [part.startswith("{") for part in path.split("/")], name)


def table() -> str:
    """A line with a service's name, then one for each operation."""
    loader = botocore.loaders.Loader()
    services: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(dict)
    for service in SERVICES:
        model = loader.load_service_model(service, "service-2")
        metadata = model["metadata"]
        if not metadata["protocol"].startswith("rest"):
            raise SystemExit(f"{service}: expected a REST service, speaks {metadata['protocol']}")
        signing = metadata.get("signingName") or metadata["endpointPrefix"]
        own: dict[tuple[str, str], list[str]] = defaultdict(list)
        for method, place, name in operations(model):
            if name not in AS_OTHERS.get(service, ()):
                own[method, place].append(name)
        for key, names in own.items():
            services[signing].setdefault(key, names)
    text, dropped = "", []
    for signing, own in sorted(services.items()):
        lines = [(method, place, names[0]) for (method, place), names in own.items() if len(names) == 1]
        dropped += [f"{signing}: {', '.join(names)}" for names in own.values() if len(names) > 1]
        text += f"{signing}\n" + "".join(
            f"{method} {place} {name}\n" for method, place, name in sorted(lines, key=weight)
        )
    print("\n".join(["cannot be told from one another:", *dropped]), file=sys.stderr)
    return text


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(), encoding="utf-8")
