"""Keeps an order in DynamoDB, with the SDK's own retries; where that fails, its caller is told to come again."""

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ATTEMPTS = int(os.environ.get("ATTEMPTS", "3"))
RETRIES = Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS})
TABLE = boto3.resource("dynamodb", config=RETRIES).Table("orders")


def handler(event: object, context: Any) -> dict[str, object]:
    try:
        TABLE.put_item(Item={"id": context.aws_request_id})
    except ClientError as error:
        return {"statusCode": 503, "body": error.response["Error"]["Code"]}
    return {"statusCode": 201, "body": "kept"}
