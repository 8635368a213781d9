"""Runs this function under a plan, with a DynamoDB on this machine (moto, which it installs below `.cache`).

    python3 examples/dynamodb/run.py --plan examples/plans/throttle.json --compare

takes what `faultlayer run` takes, beside the function itself.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".cache" / "dynamodb"
COMMAND = os.environ.get("FAULTLAYER_COMMAND", str(ROOT / "target" / "release" / "faultlayer"))
# Nobody looks at them; the SDK wants some.
VARIABLES = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "eu-west-1"}
CREATE = """
import boto3
key = {"AttributeName": "id"}
boto3.client("dynamodb").create_table(
    TableName="orders", KeySchema=[{**key, "KeyType": "HASH"}], AttributeDefinitions=[{**key, "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
"""


def install() -> Path:
    """moto for the server, and boto3 as a layer for the function: once."""
    python = PLACE / "venv" / "bin" / "python"
    if not (PLACE / ".ready").exists():
        print("installing moto and boto3 below .cache/dynamodb, once", file=sys.stderr)
        venv.create(PLACE / "venv", with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "moto[server]"], check=True)
        subprocess.run([*pip, "--target", PLACE / "layer" / "python", "boto3"], check=True)
        (PLACE / ".ready").touch()
    return python


def port_of(log: Path) -> int:
    """The server's, once it answers."""
    for _ in range(300):
        if found := re.search(r"Running on http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.1)
    raise SystemExit(f"moto did not start: {log.read_text()}")


def main() -> int:
    python = install()
    serve = "import sys; from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"
    with (
        tempfile.NamedTemporaryFile("w") as log,
        subprocess.Popen([python, "-c", serve], stderr=log, stdout=log) as server,
    ):
        try:
            variables = {**VARIABLES, "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port_of(Path(log.name))}"}
            subprocess.run([python, "-c", CREATE], env={**os.environ, **variables}, check=True)
            own = ["--runtime", "python", "--code", "examples/dynamodb", "--handler", "app.handler"]
            # The SDK waits for seconds between its attempts.
            layer = ["--layer", ".cache/dynamodb/layer", "--memory", "512", "--timeout", "10s"]
            told = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
            command = [COMMAND, "run", *own, *layer, *told, *sys.argv[1:]]
            return subprocess.run(command, cwd=ROOT, check=False).returncode
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
