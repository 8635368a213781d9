"""Every request that the lab accepts is one that botocore's models allow: each constraint of each served operation, broken alone."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from client import Lab, refused
from models import path, served

Shapes = dict[str, dict[str, Any]]
WORDS = {"ValidationException", "SerializationException", "InvalidRequestContentException"}
# Values for shapes with patterns; every other shape gets the shortest value that its bounds allow.
SAMPLES = {
    "RoleArn": "arn:aws:iam::123456789012:role/r",
    "TaggableResource": "arn:aws:lambda:eu-central-1:123456789012:function:one",
    "LayerVersionArn": "arn:aws:lambda:eu-central-1:123456789012:layer:l:1",
    "CodeSigningConfigArn": "arn:aws:lambda:eu-central-1:123456789012:code-signing-config:csc-abcdefghij0123456",
    "Arn": "arn:aws:signer:eu-central-1:123456789012:/signing-profiles/p/abcdefghij",
    "AutomationExecutionId": "11111111-2222-3333-4444-555555555555",
    "IdempotencyToken": "11111111-2222-3333-4444-555555555555",
    "DocumentName": "Document",
    "DocumentARN": "Document",
    "DocumentVersionNumber": "1",
    "Version": "1",
    "VersionWithLatestPublished": "1",
}
ODD = "\u00a7 \u00a7\n\u00a7"
SIZES = {"structure": {}, "list": [], "map": {}, "blob": "", "boolean": True, "timestamp": 0}


def sample(shapes: Shapes, name: str) -> Any:
    """A small value that its shape allows."""
    shape = shapes[name]
    if name in SAMPLES:
        return SAMPLES[name]
    if shape["type"] == "structure":
        return {member: sample(shapes, shape["members"][member]["shape"]) for member in shape.get("required", [])}
    if shape["type"] == "list":
        return [sample(shapes, shape["member"]["shape"])] * max(1, shape.get("min", 0))
    if shape["type"] == "map":
        return {sample(shapes, shape["key"]["shape"]): sample(shapes, shape["value"]["shape"])}
    if shape["type"] == "string":
        return shape["enum"][0] if "enum" in shape else "a" * max(3, shape.get("min", 0))
    if shape["type"] in {"integer", "long"}:
        return max(1, int(shape.get("min", 1)))
    if shape["type"] in {"double", "float"}:
        return 0.5
    return SIZES[shape["type"]]


def broken(shapes: Shapes, name: str, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Values that break one constraint of a shape each, and what they break."""
    shape = shapes[name]
    kind = shape["type"]
    if "enum" in shape:
        yield "enum", "no-such-value"
    if "max" in shape and kind == "string" and shape["max"] < 20_000:
        yield "longer", "a" * (shape["max"] + 1)
    if "max" in shape and kind in {"integer", "long"}:
        yield "larger", shape["max"] + 1
    if shape.get("min") and kind in {"integer", "long"}:
        yield "smaller", shape["min"] - 1
    if "max" in shape and kind == "list":
        yield "more", [sample(shapes, shape["member"]["shape"])] * (shape["max"] + 1)
    if shape.get("min") and kind == "list":
        yield "none", []
    # Python has no Unicode classes; what stands for them here takes none of these signs.
    pattern = shape.get("pattern", "").replace("\\p{L}\\p{Z}\\p{N}", "a-zA-Z0-9 ")
    if kind == "string" and pattern and not re.fullmatch(pattern, ODD):
        yield "pattern", ODD
    if kind not in {"string", "blob", "timestamp"}:
        yield "type", "text"
    if kind in {"string", "structure", "map"}:
        yield "type", [1]
    if kind == "structure" and depth:
        for member in shape.get("required", []):
            yield f"without {member}", {key: value for key, value in sample(shapes, name).items() if key != member}
        yield "unknown", {**sample(shapes, name), "NoSuchMember": 1}
        for member, reference in shape["members"].items():
            for what, value in broken(shapes, reference["shape"], depth - 1):
                yield f"{member}: {what}", {**sample(shapes, name), member: value}
    if kind == "list" and depth:
        yield from ((f"item: {what}", [value]) for what, value in broken(shapes, shape["member"]["shape"], depth - 1))
    if kind == "map" and depth:
        good = sample(shapes, shape["key"]["shape"])
        yield from ((f"value: {what}", {good: value}) for what, value in broken(shapes, shape["value"]["shape"], depth - 1))


def send(lab: Lab, service: str, table: dict[str, Any], operation: str, given: dict[str, Any]) -> str:
    """Send a request as it stands, past any client's checks; the error's code, or `ok`."""
    http = table["operations"][operation]["http"]
    members = table["shapes"][table["operations"][operation]["input"]]["members"]
    path, body, query, headers = http["requestUri"], {}, [], {}
    for name, value in given.items():
        place = members.get(name, {})
        wire = place.get("locationName", name)
        if place.get("location") == "uri":
            path = path.replace("{" + wire + "}", urllib.parse.quote(str(value), safe=""))
        elif place.get("location") == "querystring":
            query += [(wire, one) for one in (value if isinstance(value, list) else [value])]
        elif place.get("location") == "header":
            headers[wire] = str(value)
        else:
            body[name] = value
    if table["target"]:
        headers.update({"X-Amz-Target": f"{table['target']}.{operation}", "Content-Type": "application/x-amz-json-1.1"})
    joiner = "&" if "?" in path else "?"
    url = lab.url + path + (joiner + urllib.parse.urlencode(query) if query else "")
    data = json.dumps(body).encode() if http["method"] not in {"GET", "DELETE"} else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=http["method"], data=data, headers=headers)):
            return "ok"
    except urllib.error.HTTPError as error:
        return str(error.headers["x-amzn-errortype"])


def tried(table: dict[str, Any], operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What breaks one constraint of an operation's input and can be written on the wire at all."""
    shapes = table["shapes"]
    name = table["operations"][operation]["input"]
    members = shapes[name]["members"]
    payload = shapes[name].get("payload")
    for what, given in broken(shapes, name):
        if not isinstance(given, dict):
            continue
        changed = {
            key for key, place in members.items() if place.get("location") and given.get(key) != sample(shapes, name).get(key)
        }
        # Of a label, a query term or a header only texts can be wrong, and a label cannot be left out.
        texts = all(isinstance(given.get(key), str | int) and "\n" not in str(given[key]) for key in changed)
        texts = texts and not any(shapes[members[key]["shape"]]["type"] == "list" for key in changed)
        missing = what.startswith("without") and members[what.split()[1]].get("location")
        unknown = "NoSuchMember" in given and all(place.get("location") for place in members.values())
        if texts and not missing and not unknown and payload not in given and not (payload and "NoSuchMember" in given):
            yield what, given


def tables() -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables of the services whose requests are JSON, which says all that can be wrong with them."""
    for service in served():
        table = json.loads(path(service).read_text(encoding="utf-8"))
        if {"json", "rest-json"} & set(table["protocols"]):
            yield service, table


CASES = [(service, operation) for service, table in tables() for operation in table["operations"]]


@pytest.mark.parametrize(("service", "operation"), CASES)
def test_each_broken_constraint_is_refused(lab: Lab, service: str, operation: str) -> None:
    table = dict(tables())[service]
    if "input" not in table["operations"][operation]:
        assert operation == "GetAccountSettings"
        return
    good = sample(table["shapes"], table["operations"][operation]["input"])
    assert send(lab, service, table, operation, good) not in WORDS - {"ValidationException"}, "the sample itself is wrong"
    accepted = [what for what, given in tried(table, operation) if send(lab, service, table, operation, given) not in WORDS]
    assert accepted == []


def test_the_tagging_api_speaks_cbor_as_newer_clients_do(lab: Lab) -> None:
    lab.function(Tags={"a": "b"})
    client = lab.client("resourcegroupstaggingapi", validate=False)
    assert client.meta.service_model.metadata["protocol"] == "smithy-rpc-v2-cbor"
    assert len(client.get_resources()["ResourceTagMappingList"]) == 1
    with pytest.raises(ClientError) as caught:
        client.get_resources(TagFilters=[{"Key": "k" * 129}])
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_bodies_are_bounded_and_their_refusal_can_be_read(lab: Lab) -> None:
    lab.function()
    most, whole = 1 << 20, 70_167_211
    code, status, message = refused(lambda: lab.client("ssm", validate=False).put_parameter(Name="a", Value="x" * most))
    assert (code, status) == ("RequestEntityTooLargeException", 413)
    assert message == f"Request must be smaller than {most} bytes for the PutParameter operation"
    update = lab.client("lambda", validate=False).update_function_code
    code, status, message = refused(lambda: update(FunctionName="one", ZipFile=b"x" * whole))
    assert (code, status) == ("RequestEntityTooLargeException", 413)
    assert message == f"Request must be smaller than {whole} bytes for the UpdateFunctionCode operation"
    for kind, size in [("RequestResponse", 6_291_456), ("Event", 1_048_576)]:
        given = {"FunctionName": "one", "InvocationType": kind, "Payload": b'"' + b"x" * (size - 1) + b'"'}
        code, status, _ = refused(partial(lab.functions.invoke, **given))
        assert (code, status) == ("RequestTooLargeException", 413)
    assert lab.settled()["LastUpdateStatus"] == "Successful"
