"""Write lab/src/cloud/gateway/wire.json: requests as botocore writes them and answers as it reads them, in every protocol.

The lab's own tests read the requests and write the answers; `test_wire.py` keeps the file equal to what the installed botocore
does. The samples belong to services that the lab need not serve: they are here for what their protocols can do.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import botocore.model
import botocore.serialize
import botocore.session

from models import service_row

WIRE = Path(__file__).resolve().parents[2] / "lab" / "src" / "cloud" / "gateway" / "wire.json"
NOON = datetime.datetime(2026, 11, 26, 12, 0, 1, tzinfo=datetime.timezone.utc)

# service, protocol, operation, input.
REQUESTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("fis", "rest-json", "ListExperiments", {"maxResults": 5, "experimentTemplateId": "EXT/1"}),
    ("fis", "rest-json", "TagResource", {"resourceArn": "arn:aws:fis:eu-central-1:123456789012:experiment/EXP1", "tags": {"a b": "ü"}}),
    ("fis", "rest-json", "UpdateSafetyLeverState", {"id": "default", "state": {"status": "engaged", "reason": "a & b"}}),
    ("logs", "json", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]}),
    ("cloudwatch", "smithy-rpc-v2-cbor", "PutMetricData", {
        "Namespace": "n",
        "MetricData": [{"MetricName": "m", "Timestamp": NOON, "Value": 1.5, "Dimensions": [{"Name": "d", "Value": "v"}]}],
    }),
    ("cloudwatch", "query", "PutMetricData", {
        "Namespace": "n",
        "MetricData": [{"MetricName": "m", "Timestamp": NOON, "Value": 1.5, "StorageResolution": 1}, {"MetricName": "x"}],
    }),
    ("cloudwatch", "json", "SetAlarmState", {"AlarmName": "a", "StateValue": "ALARM", "StateReason": "r"}),
    ("cloudformation", "query", "CreateStack", {
        "StackName": "s", "TemplateBody": "{}\n+ & %", "DisableRollback": True, "TimeoutInMinutes": 5, "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [{"ParameterKey": f"k{number}", "ParameterValue": str(number)} for number in range(1, 12)],
    }),
    ("iam", "query", "CreateRole", {
        "RoleName": "r", "AssumeRolePolicyDocument": '{"Version": "2012-10-17"}', "Tags": [{"Key": "k", "Value": ""}],
    }),
    ("s3", "rest-xml", "ListBuckets", {}),
    ("s3", "rest-xml", "CreateBucket", {"Bucket": "b", "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}),
    ("s3", "rest-xml", "HeadObject", {"Bucket": "b", "Key": "k", "IfModifiedSince": NOON}),
    ("s3", "rest-xml", "GetObject", {"Bucket": "b", "Key": "a/b c/+ü/", "Range": "bytes=0-1"}),
    ("s3", "rest-xml", "PutObject", {"Bucket": "b", "Key": "k", "Body": b"\x00raw", "Metadata": {"a": "1"}, "ContentType": "text/x"}),
    ("s3", "rest-xml", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "b/other"}),
    ("s3", "rest-xml", "UploadPart", {"Bucket": "b", "Key": "k", "PartNumber": 1, "UploadId": "u", "Body": b"part"}),
    ("s3", "rest-xml", "ListObjects", {"Bucket": "b", "Prefix": "p/"}),
    ("s3", "rest-xml", "ListObjectsV2", {"Bucket": "b", "MaxKeys": 3}),
    ("s3", "rest-xml", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "<a>"}, {"Key": "b"}], "Quiet": True}}),
    ("s3", "rest-xml", "PutBucketTagging", {"Bucket": "b", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}),
    ("s3", "rest-xml", "PutObjectAcl", {
        "Bucket": "b", "Key": "k",
        "AccessControlPolicy": {"Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "i"}, "Permission": "READ"}]},
    }),
]  # fmt: skip

# service, protocol, operation, output.
ANSWERS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("fis", "rest-json", "UpdateSafetyLeverState", {"safetyLever": {"id": "default", "state": {"status": "engaged", "reason": "r"}}}),
    ("logs", "json", "PutLogEvents", {"nextSequenceToken": "t"}),
    ("cloudwatch", "smithy-rpc-v2-cbor", "DescribeAlarms", {
        "MetricAlarms": [{"AlarmName": "a", "StateUpdatedTimestamp": NOON, "Threshold": 1.0, "ActionsEnabled": True, "Period": 60}],
        "CompositeAlarms": [],
    }),
    ("cloudwatch", "query", "DescribeAlarms", {
        "MetricAlarms": [{"AlarmName": "<a> & b", "StateUpdatedTimestamp": NOON, "Threshold": 1.5, "ActionsEnabled": True, "Period": 60}],
        "CompositeAlarms": [],
    }),
    ("cloudformation", "query", "DescribeStacks", {
        "Stacks": [{
            "StackName": "s", "CreationTime": NOON, "StackStatus": "CREATE_COMPLETE", "DisableRollback": False,
            "Outputs": [{"OutputKey": "k", "OutputValue": " a\r\nb\t"}], "Capabilities": ["CAPABILITY_IAM"],
        }],
    }),
    ("iam", "query", "ListRoleTags", {"Tags": [{"Key": "k", "Value": "v"}], "IsTruncated": False}),
    ("iam", "query", "DeleteRole", {}),
    ("s3", "rest-xml", "ListObjectsV2", {
        "IsTruncated": False, "Contents": [{"Key": "a & b", "LastModified": NOON, "Size": 3}, {"Key": "c"}], "Name": "b", "KeyCount": 2,
        "CommonPrefixes": [{"Prefix": "p/"}],
    }),
    ("s3", "rest-xml", "HeadObject", {"ContentLength": 3, "LastModified": NOON, "ETag": '"e"', "Metadata": {"a": "1"}}),
    ("s3", "rest-xml", "CopyObject", {"CopyObjectResult": {"ETag": '"e"', "LastModified": NOON}, "VersionId": "v"}),
    ("s3", "rest-xml", "GetBucketAcl", {
        "Owner": {"ID": "o"}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "i"}, "Permission": "READ"}],
    }),
]  # fmt: skip


def loaded(service: str) -> botocore.model.ServiceModel:
    loader = botocore.session.get_session().get_component("data_loader")
    return botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)


def plain(value: Any) -> Any:
    """A value as services of the lab see it: times as seconds, bytes as base64."""
    import base64

    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def request_row(service: str, protocol: str, operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """A request as it lies on the wire, and what the lab shall make of it."""
    import base64
    from urllib.parse import quote, urlencode

    model = loaded(service)
    about = model.operation_model(operation)
    wire = botocore.serialize.create_serializer(protocol, include_validation=False).serialize_to_request(given, about)
    body = wire["body"]
    query = wire["query_string"]
    if isinstance(body, dict):
        body = urlencode(body)
    if isinstance(query, dict):
        query = urlencode(query, quote_via=quote, doseq=True)
    path = wire["url_path"] + (("&" if "?" in wire["url_path"] else "?") + query if query else "")
    body = body.encode() if isinstance(body, str) else body
    name = about.input_shape.serialization.get("payload") if about.input_shape else None
    raw = name if name and about.input_shape.members[name].type_name in {"blob", "string"} else ""
    return {
        "service": service, "operation": operation, "protocol": protocol, "method": wire["method"], "path": path,
        "signing": model.signing_name, "headers": {key: value for key, value in wire["headers"].items() if value is not None},
        "body": base64.b64encode(body).decode(),
        "input": plain({key: value for key, value in given.items() if key != raw}), "raw": plain(given.get(raw, b"")),
    }  # fmt: skip


def answer_row(service: str, protocol: str, operation: str, output: dict[str, Any]) -> dict[str, Any]:
    return {"service": service, "operation": operation, "protocol": protocol, "output": plain(output)}


def text() -> str:
    """The file's text: one model, request or answer a line."""
    used: dict[str, set[str]] = {}
    for service, _, operation, _ in REQUESTS + ANSWERS:
        used.setdefault(service, set()).add(operation)
    rows = {
        "models": [json.dumps({"name": name, "model": service_row(name, sorted(used[name]))}) for name in sorted(used)],
        "requests": [json.dumps(request_row(*row)) for row in REQUESTS],
        "answers": [json.dumps(answer_row(*row)) for row in ANSWERS],
    }
    return "{" + ",\n".join(f'"{part}":[\n' + ",\n".join(lines) + "\n]" for part, lines in rows.items()) + "}\n"


if __name__ == "__main__":
    WIRE.write_text(text(), encoding="utf-8")
