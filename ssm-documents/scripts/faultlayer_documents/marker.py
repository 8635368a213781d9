"""`FAULTLAYER_RESTORE`: what a function says about its own attachment, and how it is written. Reading it is `parse`'s.

`1,EXECUTION,LAYER[,FLAG…]` with the layer as `NAME` or, of another account, `ACCOUNT:NAME`, and the flags
`python` | `node` | `java` (what was changed), `path` (`/opt/python` was appended to PYTHONPATH), `options`
(JAVA_TOOL_OPTIONS, or Node's NODE_OPTIONS, did not exist), `tOLD-NEW` (timeout), `mOLD-NEW` (memory), `a=ALIAS:VERSION[:VERSION=WEIGHT…]`.
"""

from dataclasses import dataclass, field
from typing import Any

PLAN, RESTORE, HANDLER = "FAULTLAYER_PLAN", "FAULTLAYER_RESTORE", "FAULTLAYER_HANDLER"


@dataclass
class Marker:
    """One attachment, as its function carries it."""

    execution: str
    layer: str
    kind: str = ""
    path: bool = False
    options: bool = False
    timeout: tuple[int, int] | None = None
    memory: tuple[int, int] | None = None
    alias: str = ""
    version: str = ""
    weights: dict[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """The value of `FAULTLAYER_RESTORE`."""
        parts = ["1", self.execution, self.layer]
        parts += [self.kind] * bool(self.kind) + ["path"] * self.path + ["options"] * self.options
        parts += [f"{key}{pair[0]}-{pair[1]}" for key, pair in (("t", self.timeout), ("m", self.memory)) if pair]
        if self.alias:
            weights = "".join(f":{version}={weight!r}" for version, weight in self.weights.items())
            parts.append(f"a={self.alias}:{self.version}{weights}")
        return ",".join(parts)


def origin(marker: Marker, account: str) -> str:
    """Account and name of a marker's layer. On a function of `account`."""
    return marker.layer if ":" in marker.layer else f"{account}:{marker.layer}"


def owns(marker: Marker, arn: str, account: str) -> bool:
    """Whether an ARN is a version of a marker's layer."""
    return origin_of(arn) == origin(marker, account)


def origin_of(arn: str) -> str:
    """Account and name of a layer version. Without what else its ARN says; empty for another text."""
    parts = arn.split(":")
    return f"{parts[4]}:{parts[6]}" if len(parts) == 8 else ""


def variables(config: dict[str, Any]) -> dict[str, str]:
    """A copy of a function's variables."""
    return dict(config.get("Environment", {}).get("Variables") or {})


def unreadable(config: dict[str, Any]) -> str:
    """Why variables cannot be read, or nothing."""
    error = (config.get("Environment") or {}).get("Error")
    return f"its variables cannot be read ({error.get('ErrorCode')}: {error.get('Message')})" if error else ""
