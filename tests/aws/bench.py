"""What an attempt of a call to AWS costs that no fault hits, in the layer under the real client, beside none of it.

    python bench.py LAYER.zip

An attempt asks its endpoint's emitter five times; the figures are those of all five, the median of seven rounds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "bindings-python" / "tests"))

import boto3  # noqa: E402 - the environment's own
from interpreters import NEWEST_CLIENT, client  # noqa: E402 - they stand beside the tests
from runtime_api import Environment  # noqa: E402

APP = """
import statistics, time
import boto3
from botocore.awsrequest import AWSRequest
CLIENT = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
SIGNED = "AWS4-HMAC-SHA256 Credential=a/20261123/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
HEADERS = {"Authorization": SIGNED, "X-Amz-Target": "DynamoDB_20120810.PutItem", "amz-sdk-request": "attempt=1; max=3"}
REQUEST = AWSRequest("POST", "https://dynamodb.eu-west-1.amazonaws.com/", HEADERS, b"{}").prepare()
NAMES = ["request-created", "before-send", "before-parse", "response-received", "needs-retry"]
def round_of(count):
    endpoint, names = CLIENT._endpoint, [f"{name}.none.PutItem" for name in NAMES]
    began = time.perf_counter()
    for _ in range(count):
        for name in names:
            endpoint._event_emitter.emit(name, request=REQUEST)
    return (time.perf_counter() - began) / count * 1e6
def handler(event, context):
    round_of(500)
    return statistics.median(round_of(3000) for _ in range(7))
"""
FAULT = {"id": "f", "kind": "aws_call", "target": {"service": ["s3"]}, "error": "SlowDown"}
LATENCY = {"id": "l", "kind": "latency", "rate": 1e-15, "delay_ms": 1}
ROWS = {
    "without the layer": None,
    "a plan without such a fault": [LATENCY],
    "a plan with one, in an invocation that it does not hit": [{**FAULT, "rate": 1e-15}],
    "in one that it hits, a call that is not its target": [{**FAULT, "rate": 1}],
}


def main() -> int:
    version = "{}.{}".format(*sys.version_info)
    with tempfile.TemporaryDirectory() as place:
        opt, code = Path(place, "opt"), Path(place, "code")
        code.mkdir()
        with zipfile.ZipFile(sys.argv[1]) as archive:
            archive.extractall(opt)
        (code / "app.py").write_text(APP)
        path = [client(version, NEWEST_CLIENT), Path(boto3.__file__).parents[1]]
        base = 0.0
        for name, faults in ROWS.items():
            plan = json.dumps({"version": 1, "expires_at": "never", "faults": faults})
            layer = None if faults is None else opt
            variables = {"FAULTLAYER_PLAN": plan}
            with Environment(
                sys.executable, path, code, "app.handler", layer=layer, variables=variables, timeout_s=60
            ) as environment:
                micros = environment.invoke({}).json
            base = base or micros
            print(f"{name:60} {micros:7.2f} µs an attempt ({micros - base:+.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
