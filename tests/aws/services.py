"""One call to each service, in each of AWS's protocols: what moto needs for it, an error that clients retry and one
that they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Service:
    name: str
    signing: str
    method: str
    operation: str
    arguments: dict[str, Any]
    retried: str
    final: str


SERVICES = {
    service.name: service
    for service in (
        Service(
            "dynamodb",
            "dynamodb",
            "put_item",
            "PutItem",
            {"TableName": "orders", "Item": {"id": {"S": "1"}}},
            "ProvisionedThroughputExceededException",
            "ConditionalCheckFailedException",
        ),
        Service(
            "s3",
            "s3",
            "put_object",
            "PutObject",
            {"Bucket": "orders", "Key": "a/b", "Body": b"x"},
            "SlowDown",
            "NoSuchBucket",
        ),
        Service("sqs", "sqs", "list_queues", "ListQueues", {}, "ThrottlingException", "InvalidAddress"),
        Service("sns", "sns", "list_topics", "ListTopics", {}, "Throttling", "AuthorizationError"),
        Service("sts", "sts", "get_caller_identity", "GetCallerIdentity", {}, "Throttling", "AccessDenied"),
        Service("ec2", "ec2", "describe_vpcs", "DescribeVpcs", {}, "RequestLimitExceeded", "UnauthorizedOperation"),
        Service(
            "lambda",
            "lambda",
            "list_functions",
            "ListFunctions",
            {},
            "TooManyRequestsException",
            "ResourceNotFoundException",
        ),
        Service(
            "cloudwatch",
            "monitoring",
            "list_metrics",
            "ListMetrics",
            {},
            "ThrottlingException",
            "InvalidParameterValue",
        ),
    )
}


def prepare(client: Any) -> None:
    """What the calls need."""
    name = client.meta.service_model.service_name
    if name == "dynamodb":
        key = {"AttributeName": "id"}
        client.create_table(
            TableName="orders",
            KeySchema=[{**key, "KeyType": "HASH"}],
            AttributeDefinitions=[{**key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    elif name == "s3":
        client.create_bucket(Bucket="orders", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def plan(service: Service, **fields: Any) -> dict[str, Any]:
    """A plan of one fault in the calls of a service."""
    target = {"service": [service.signing], "operation": [service.operation]}
    fault = {"id": "f", "kind": "aws_call", "rate": 1, "target": target, **fields}
    return {"version": 1, "expires_at": "never", "faults": [fault]}
