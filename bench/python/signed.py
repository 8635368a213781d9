"""Prints a request that boto3 signed, as hexadecimal bytes: GetParameter, of a parameter that it puts first.

python signed.py PORT
"""

import sys

import boto3

HOST = f"127.0.0.1:{sys.argv[1]}"
OWN = ("host", "content-length")

keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
ssm = boto3.client("ssm", endpoint_url=f"http://{HOST}", region_name="eu-west-1", **keys)
ssm.put_parameter(Name="/bench", Value="value", Type="String", Overwrite=True)


def seen(request, **_):
    kept = {"Host": HOST, "Content-Length": str(len(request.body))}
    for name, value in request.headers.items():
        if name.lower() not in OWN:
            kept[name] = value.decode() if isinstance(value, bytes) else value
    head = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
    print(f"POST / HTTP/1.1\r\n{head}\r\n".encode().hex() + request.body.hex())


ssm.meta.events.register("before-send.ssm.GetParameter", seen)
ssm.get_parameter(Name="/bench")
