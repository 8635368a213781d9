"""`FAULTLAYER_RESTORE`: what a function says about its own attachment. Text to value and back, nothing else.

`1,EXECUTION,LAYER[,FLAG…]` with the layer as `NAME` or, of another account, `ACCOUNT:NAME`, and the flags
`python` | `node` | `java` (what was changed), `path` (`/opt/python` was appended to PYTHONPATH), `options`
(JAVA_TOOL_OPTIONS did not exist), `tOLD-NEW` (timeout), `mOLD-NEW` (memory), `a=ALIAS:VERSION[:VERSION=WEIGHT…]`.
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

    def owns(self, arn: str, account: str) -> bool:
        """Whether a layer version's ARN is the layer this marker put on."""
        parts = arn.split(":")
        mine = self.layer if ":" in self.layer else f"{account}:{self.layer}"
        return len(parts) == 8 and f"{parts[4]}:{parts[6]}" == mine


def parse_marker(text: str) -> Marker:
    """Reads a marker. Raises ValueError for a text that is none."""
    parts = text.split(",")
    if len(parts) < 3 or parts[0] != "1":
        raise ValueError(f"`{RESTORE}` is not one this version wrote: `{text[:60]}`")
    marker = Marker(parts[1], parts[2])
    for part in parts[3:]:
        if part in ("python", "node", "java"):
            marker.kind = part
        elif part == "path":
            marker.path = True
        elif part == "options":
            marker.options = True
        elif part[0:2] == "a=":
            marker.alias, marker.version, *weights = part[2:].split(":")
            marker.weights = {version: float(weight) for version, weight in (w.split("=") for w in weights)}
        elif part[0:1] in ("t", "m"):
            old, new = part[1:].split("-")
            setattr(marker, "timeout" if part[0] == "t" else "memory", (int(old), int(new)))
        else:
            raise ValueError(f"`{RESTORE}` has an unknown part `{part}`")
    return marker


def variables(config: dict[str, Any]) -> dict[str, str]:
    """A copy of a function's variables."""
    return dict(config.get("Environment", {}).get("Variables") or {})


def marker_of(config: dict[str, Any]) -> Marker | None:
    """The marker a function carries. Raises ValueError for one that cannot be read."""
    text = variables(config).get(RESTORE)
    return None if text is None else parse_marker(text)
