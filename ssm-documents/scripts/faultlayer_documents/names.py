"""What a step is told: which functions, which layers, yes or no."""

import re
from typing import Any

from faultlayer_documents.aws import Aws

# The documents' parameters for the ARNs of layer versions.
LAYERS = {
    f"{kind.lower()}-{architecture}": f"{kind}Layer{key}"
    for kind in ("Python", "Node", "Java")
    for key, architecture in (("X8664", "x86_64"), ("Arm64", "arm64"))
}
FUNCTION = re.compile(
    r"(?:(?:arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):)?(?P<account>\d{12}):function:)?"
    r"(?P<name>[a-zA-Z0-9_-]{1,64})(?::(?P<version>\$LATEST|[a-zA-Z0-9_-]+))?"
)


def is_true(value: Any) -> bool:
    """A Boolean parameter. Arrives as a boolean or as text."""
    return str(value).lower() == "true"


def named(aws: Aws, texts: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Functions from names and ARNs. ARNs whole or from the account on; each name once, with how it was given; and what is
    wrong with the rest."""
    found: dict[str, list[str]] = {}
    problems: list[str] = []
    for text in map(str.strip, texts):
        parts = FUNCTION.fullmatch(text)
        if not parts:
            problems.append(f"`{text}`: expected a function's name or ARN")
        elif parts["region"] not in (None, aws.region):
            problems.append(f"`{text}`: is in `{parts['region']}`, this execution in `{aws.region}`")
        elif parts["version"] not in (None, "$LATEST"):
            problems.append(f"`{text}`: names a version or alias; give the function, and `Alias`")
        else:
            found.setdefault(parts["name"], []).append(text)
    return found, problems


def disagreements(config: dict[str, Any], texts: list[str]) -> list[str]:
    """Given ARNs that are not its own."""
    _, partition, _, _, account, *_ = config["FunctionArn"].split(":")
    own = {"partition": partition, "account": account}
    return [
        f"`{text}`: is in {key} `{parts[key]}`, this execution in `{own[key]}`"
        for text in texts
        for key in own
        if (parts := FUNCTION.fullmatch(text)) and parts[key] not in (None, own[key])
    ]
