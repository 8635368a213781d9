"""Every reason not to attach to a function, all of them at once. Reads, never writes."""

import math
import threading
from typing import Any

from faultlayer_documents.aws import Aws, code_of, read
from faultlayer_documents.change import (
    AGENT,
    HANDLERS,
    PRELOADED,
    Options,
    architecture_of,
    attach_change,
    environment_size,
    kind_of,
    layers_of,
    names_us,
)
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, variables
from faultlayer_documents.parse import marker_of

ENVIRONMENT_LIMIT, LAYER_LIMIT = 4096, 5
# Seconds a step may plan for; the rest of the script's 600 is for retries.
STEP_LIMIT_S = 480
# What the aliased version and $LATEST must have in common, or publishing would ship what nobody released.
SAME = (
    "CodeSha256 Handler Runtime Role Timeout MemorySize VpcConfig DeadLetterConfig KMSKeyArn TracingConfig FileSystemConfigs "
    "Architectures EphemeralStorage LoggingConfig SnapStart DurableConfig CapacityProviderConfig"
).split()


def bare(arn: str) -> str:
    """A layer version's ARN without its version."""
    return arn.rsplit(":", 1)[0]


def runtime_reasons(config: dict[str, Any]) -> list[str]:
    """Why this kind of function has no layer of ours."""
    runtime = str(config.get("Runtime", ""))
    if config.get("PackageType", "Zip") == "Image":
        return ["is a container image, which takes no layers"]
    if runtime.startswith("provided"):
        return [f"runs on `{runtime}`, which has no language client to wrap"]
    kind = kind_of(config)
    number = runtime.removeprefix("python3.").removeprefix("nodejs").removeprefix("java").split(".")[0]
    oldest = {"python": 10, "node": 18, "java": 11}.get(kind)
    if oldest is None or not number.isdigit() or int(number) < oldest:
        return [f"runs on `{runtime}`: there are layers for Python 3.10, Node.js 18, Java 11 and later"]
    return []


def claim_reasons(config: dict[str, Any]) -> list[str]:
    """Why a function is not free, told from its configuration alone."""
    reasons, values = [], variables(config)
    if (config.get("Environment") or {}).get("Error"):
        error = config["Environment"]["Error"]
        return [f"its variables cannot be read ({error.get('ErrorCode')}: {error.get('Message')})"]
    try:
        marker = marker_of(config)
    except ValueError as error:
        return [f"is attached by something else: {error}"]
    if marker:
        return [f"is attached already, by execution `{marker.execution}`"]
    own = [name for name in (PLAN, RESTORE, HANDLER) if name in values]
    if own:
        reasons.append("has variables of its own named " + ", ".join(f"`{name}`" for name in own))
    if config.get("Handler") in HANDLERS.values():
        reasons.append(f"its handler is `{config['Handler']}` without a marker that says what it was")
    for name, value in values.items():
        if name not in own and any(names_us(value, ours) for ours in (AGENT, *HANDLERS.values(), *PRELOADED)):
            reasons.append(f"variable `{name}` names Faultlayer without a marker")
    return reasons


def room_reasons(config: dict[str, Any], options: Options, alias: dict[str, Any] | None) -> list[str]:
    """Why the layer and the plan do not fit."""
    reasons, arns = [], layers_of(config)
    kind, architecture = kind_of(config), architecture_of(config)
    layer = options.layers.get(f"{kind}-{architecture}", "")
    if len(arns) >= LAYER_LIMIT:
        reasons.append(f"has {len(arns)} layers, the most there can be")
    if not layer:
        return [*reasons, f"no layer is given for {kind} on {architecture}"]
    if bare(layer) in [bare(arn) for arn in arns]:
        return [*reasons, f"has the layer `{bare(layer)}` already, without a marker"]
    change, _ = attach_change(config, options, alias)
    size = environment_size(change["Environment"]["Variables"])
    if size > ENVIRONMENT_LIMIT:
        reasons.append(f"its variables and the plan are {size} bytes together, the most is {ENVIRONMENT_LIMIT}")
    return reasons


class Layers:
    """Layer versions and code-signing configs, each asked for once, whichever worker comes first."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.lock = threading.RLock()
        self.versions: dict[str, dict[str, Any] | str] = {}
        self.signing: dict[str, dict[str, Any]] = {}

    def version(self, arn: str) -> dict[str, Any] | str:
        """The layer version, or why it cannot be used."""
        with self.lock:
            if arn not in self.versions:
                self.versions[arn] = self.ask(arn)
            return self.versions[arn]

    def ask(self, arn: str) -> dict[str, Any] | str:
        if ":::awslayer:" in arn:
            return {}
        try:
            return self.aws.fn("get_layer_version", LayerName=bare(arn), VersionNumber=int(arn.rsplit(":", 1)[1]))
        except Exception as error:
            if code_of(error) == "ResourceNotFoundException":
                return "no longer exists"
            if code_of(error) in ("AccessDeniedException", "AccessDenied", "InvalidParameterValueException"):
                return f"cannot be read ({code_of(error)})"
            raise

    def reasons(self, config: dict[str, Any], layer: str) -> list[str]:
        """Why Lambda would refuse the list of layers."""
        reasons = []
        for arn in [*layers_of(config), layer]:
            version = self.version(arn)
            if isinstance(version, str):
                reasons.append(f"its layer `{arn}` {version}: Lambda refuses every update that lists it")
            elif arn == layer and architecture_of(config) not in version.get("CompatibleArchitectures", ["x86_64", "arm64"]):
                reasons.append(f"the layer `{arn}` is not made for {architecture_of(config)}")
        return reasons

    def signing_reasons(self, name: str, layer: str) -> list[str]:
        """Why the function's code signing refuses our layer."""
        arn = self.aws.fn("get_function_code_signing_config", FunctionName=name).get("CodeSigningConfigArn")
        if not arn:
            return []
        with self.lock:
            if arn not in self.signing:
                answer = self.aws.fn("get_code_signing_config", CodeSigningConfigArn=arn)
                self.signing[arn] = answer["CodeSigningConfig"]
        if self.signing[arn]["CodeSigningPolicies"].get("UntrustedArtifactOnDeployment") != "Enforce":
            return []
        version = self.version(layer)
        signer = version.get("Content", {}).get("SigningProfileVersionArn") if isinstance(version, dict) else None
        if signer in self.signing[arn]["AllowedPublishers"]["SigningProfileVersionArns"]:
            return []
        return [f"its code signing `{arn}` enforces signers that did not sign `{layer}`"]


def version_reasons(aws: Aws, config: dict[str, Any]) -> list[str]:
    """Why changing $LATEST would not reach the callers: they use a published version, and no `Alias` says which."""
    name = config["FunctionName"]
    kinds = []
    if aws.fn("list_provisioned_concurrency_configs", FunctionName=name).get("ProvisionedConcurrencyConfigs"):
        kinds.append("provisioned concurrency")
    published = {
        "SnapStart": (config.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions",
        "managed instances": bool(config.get("CapacityProviderConfig")),
        "durable execution": bool(config.get("DurableConfig")),
    }
    if any(published.values()) and len(aws.pages("list_versions_by_function", "Versions", FunctionName=name)) > 1:
        kinds += [kind for kind, on in published.items() if on]
    return [f"has {' and '.join(kinds)} on a published version: give `Alias`"] if kinds else []


def alias_reasons(aws: Aws, config: dict[str, Any], alias: dict[str, Any]) -> list[str]:
    """Why publishing $LATEST would ship more than the aliased version has."""
    aliased = read(aws, config["FunctionName"], alias["FunctionVersion"])
    differs = [key for key in SAME if config.get(key) != aliased.get(key)]
    differs += ["Layers"] * (layers_of(config) != layers_of(aliased))
    now, then = variables(config), variables(aliased)
    differs += [f"variable {key}" for key in sorted({*now, *then}) if now.get(key) != then.get(key)]
    if not differs:
        return []
    return [f"$LATEST is not what alias `{alias['Name']}` points at (version {alias['FunctionVersion']}): {', '.join(differs)}"]


def get_alias(aws: Aws, name: str, alias: str) -> dict[str, Any] | None:
    """The alias, or None if there is none of that name."""
    try:
        return aws.fn("get_alias", FunctionName=name, Name=alias)
    except Exception as error:
        if code_of(error) == "ResourceNotFoundException":
            return None
        raise


def estimate(functions: int, alias: bool) -> tuple[int, int, int]:
    """Seconds that checking, attaching and rolling back take, by the pace of RATES: the calls of one function that share
    the slow rate, and what stays however few there are. The functions' own updates run beside it."""
    checking, attaching, restoring = (3, 5, 8) if alias else (2, 1, 1)
    return (
        math.ceil(functions * (checking / 10 + 0.02) + 1),
        math.ceil(functions * attaching / 10 + 4),
        math.ceil(functions * (restoring / 10 + 0.03) + 6),
    )
