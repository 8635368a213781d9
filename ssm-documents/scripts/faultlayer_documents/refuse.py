"""Every reason not to attach to a function, all of them at once. Reads, never writes."""

import math
import re
import threading
from collections.abc import Callable
from typing import Any

from faultlayer_documents.aws import Aws, code_of, read
from faultlayer_documents.change import (
    AGENT,
    FIELDS,
    HANDLERS,
    PRELOADED,
    Options,
    architecture_of,
    attach_change,
    environment_size,
    kind_of,
    layer_for,
    layers_of,
    names_us,
)
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, unreadable, variables
from faultlayer_documents.parse import NO_MARKER, execution_in

ENVIRONMENT_LIMIT, LAYER_LIMIT = 4096, 5
# AWS's own extensions, through which a function reads a live plan: the layer by the source's scheme.
EXTENSIONS = {"appconfig": "AWS-AppConfig-Extension", "parameter": "AWS-Parameters-and-Secrets-Lambda-Extension"}
# Seconds a step may plan for; the rest of the script's 600 is for retries.
STEP_LIMIT_S = 480


def bare(arn: str) -> str:
    """A layer's ARN without its version."""
    return arn.rsplit(":", 1)[0]


def runtime_reasons(config: dict[str, Any]) -> list[str]:
    """Why a function's kind has no layer of ours."""
    runtime = str(config.get("Runtime", ""))
    if config.get("PackageType", "Zip") == "Image":
        return ["is a container image, which takes no layers"]
    if runtime.startswith("provided"):
        return [f"runs on `{runtime}`, which has no language client to wrap"]
    found = re.match(r"(python3\.|nodejs|java)(\d+)", runtime)
    if not found or int(found[2]) < {"python3.": 10, "nodejs": 18, "java": 11}[found[1]]:
        return [f"runs on `{runtime}`: there are layers for Python 3.10, Node.js 18, Java 11 and later"]
    return []


def claim_reasons(config: dict[str, Any]) -> list[str]:
    """Why a function is not free. Told from its configuration alone."""
    reasons, values = [], variables(config)
    if unreadable(config):
        return [unreadable(config)]
    if RESTORE in values:
        other = execution_in(values[RESTORE])
        return [f"is attached already, by execution `{other}`" if other else f"is attached by something else: {NO_MARKER}"]
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
    layer = layer_for(config, options)
    if len(arns) >= LAYER_LIMIT:
        reasons.append(f"has {len(arns)} layers, the most there can be")
    if not layer:
        return [*reasons, f"no layer is given for {kind_of(config)} on {architecture_of(config)}"]
    if bare(layer) in [bare(arn) for arn in arns]:
        return [*reasons, f"has the layer `{bare(layer)}` already, without a marker"]
    extension = EXTENSIONS.get(options.plan.split(":")[0])
    if extension:
        extension += "-Arm64" * (architecture_of(config) == "arm64")
        if not any(f":layer:{extension}:" in arn for arn in arns):
            reasons.append(f"reads its plan through the layer `{extension}`, which it has not")
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
        self.found: dict[str, Any] = {}

    def once(self, arn: str, ask: Callable[[str], Any]) -> Any:
        """What AWS says about an ARN."""
        with self.lock:
            if arn not in self.found:
                self.found[arn] = ask(arn)
            return self.found[arn]

    def version(self, arn: str) -> dict[str, Any] | str:
        """The layer version, or why not."""
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

    def signing(self, arn: str) -> Any:
        """A code-signing config."""
        return self.aws.fn("get_code_signing_config", CodeSigningConfigArn=arn)["CodeSigningConfig"]

    def reasons(self, config: dict[str, Any], layer: str) -> list[str]:
        """Why Lambda would refuse the layers."""
        reasons = []
        for arn in [*layers_of(config), layer]:
            version = self.once(arn, self.version)
            if isinstance(version, str):
                reasons.append(f"its layer `{arn}` {version}: Lambda refuses every update that lists it")
            elif arn == layer and architecture_of(config) not in version.get("CompatibleArchitectures", ["x86_64", "arm64"]):
                reasons.append(f"the layer `{arn}` is not made for {architecture_of(config)}")
        return reasons

    def signing_reasons(self, name: str, layer: str) -> list[str]:
        """Why code signing refuses our layer."""
        arn = self.aws.fn("get_function_code_signing_config", FunctionName=name).get("CodeSigningConfigArn")
        if not arn:
            return []
        signing, version = self.once(arn, self.signing), self.once(layer, self.version)
        signer = version.get("Content", {}).get("SigningProfileVersionArn") if isinstance(version, dict) else None
        enforced = signing["CodeSigningPolicies"].get("UntrustedArtifactOnDeployment") == "Enforce"
        if not enforced or signer in signing["AllowedPublishers"]["SigningProfileVersionArns"]:
            return []
        return [f"its code signing `{arn}` enforces signers that did not sign `{layer}`"]


def version_reasons(aws: Aws, config: dict[str, Any]) -> list[str]:
    """Why changing $LATEST would not reach the callers. They use a published version, and no `Alias` says which."""
    name = config["FunctionName"]
    kinds = []
    if aws.fn("list_provisioned_concurrency_configs", FunctionName=name).get("ProvisionedConcurrencyConfigs"):
        kinds.append("provisioned concurrency")
    published = {
        "SnapStart": (config.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions",
        "managed instances": bool(config.get("CapacityProviderConfig")),
        "durable execution": bool(config.get("DurableConfig")),
    }
    if any(published.values()) and len(aws.fn("list_versions_by_function", FunctionName=name, MaxItems=2)["Versions"]) > 1:
        kinds += [kind for kind, on in published.items() if on]
    return [f"has {' and '.join(kinds)} on a published version: give `Alias`"] if kinds else []


def alias_reasons(aws: Aws, config: dict[str, Any], alias: dict[str, Any]) -> list[str]:
    """What publishing would ship beside."""
    aliased = read(aws, config["FunctionName"], alias["FunctionVersion"])
    # All that publishing ships, or it would be what nobody released.
    differs = [key for key in (*FIELDS, "Handler") if key != "Description" and config.get(key) != aliased.get(key)]
    differs += ["Layers"] * (layers_of(config) != layers_of(aliased))
    now, then = variables(config), variables(aliased)
    differs += [f"variable {key}" for key in sorted({*now, *then}) if now.get(key) != then.get(key)]
    if not differs:
        return []
    return [f"$LATEST is not what alias `{alias['Name']}` points at (version {alias['FunctionVersion']}): {', '.join(differs)}"]


def get_alias(aws: Aws, name: str, alias: str) -> dict[str, Any] | None:
    """The alias, or None if there is none."""
    try:
        return aws.fn("get_alias", FunctionName=name, Name=alias)
    except Exception as error:
        if code_of(error) == "ResourceNotFoundException":
            return None
        raise


def estimate(functions: int, alias: bool) -> tuple[int, int, int]:
    """Seconds to check, attach, roll back. By the pace of RATES: the calls of one function that share
    the slow rate, and what stays however few there are. The functions' own updates run beside it."""
    checking, attaching, restoring = (3, 5, 8) if alias else (2, 1, 1)
    return (
        math.ceil(functions * (checking / 10 + 0.02) + 1),
        math.ceil(functions * attaching / 10 + 4),
        math.ceil(functions * (restoring / 10 + 0.03) + 6),
    )


def longest_step(functions: int, alias: bool) -> int:
    """Seconds of the longest step: checking and attaching are one."""
    checking, attaching, restoring = estimate(functions, alias)
    return max(checking + attaching, restoring)
