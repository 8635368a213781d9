"""The sample function: it greets, and knows nothing of Faultlayer."""


def handler(event: object, context: object) -> dict[str, object]:
    return {"statusCode": 200, "body": "Hello from Lambda"}
