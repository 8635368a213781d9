"""The sample function: it greets, and knows nothing of Faultlayer."""


def handler(event, context):
    return {"statusCode": 200, "body": "Hello from Lambda"}
