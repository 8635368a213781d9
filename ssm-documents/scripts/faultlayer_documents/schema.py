"""Checks a JSON value against the plan's JSON Schema: the part of the language that schema uses, no more.

`KNOWN` is that part; the build refuses a schema with any other keyword, so nothing is silently not checked.
"""

import json
import re
from typing import Any

from faultlayer_documents.plan import parse_stamp

TEXTS = {"$schema", "title", "description", "default", "examples"}
KNOWN = TEXTS | set(
    "format type enum const properties required additionalProperties patternProperties minProperties "
    "maxProperties items minItems maxItems minimum maximum exclusiveMinimum minLength maxLength allOf anyOf oneOf not".split()
)
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "number": (int, float), "integer": int,
}  # fmt: skip


def is_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name]) or (name == "integer" and isinstance(value, float) and value.is_integer())


def schema_problems(value: Any, rule: Any, path: str = "") -> list[str]:
    """Every problem of `value`, each `path: expected …, got …`; empty if there is none."""
    here = path or "plan"
    if isinstance(rule, bool):
        return [] if rule else [f"{here}: unknown field"]

    def bad(expected: Any) -> list[str]:
        return [f"{here}: expected {expected}, got `{json.dumps(value)[:80]}`"]

    names = rule.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_type(value, name) for name in names):
        return bad(" or ".join(names))
    allowed = [rule["const"]] if "const" in rule else rule.get("enum", [value])
    # Compared as JSON text, or `true` would be 1.
    if not any(json.dumps(value) == json.dumps(item) for item in allowed):
        return bad(" or ".join(f"`{json.dumps(item)}`" for item in allowed))
    found: list[str] = []
    if is_type(value, "number"):
        low, high, above = rule.get("minimum", value), rule.get("maximum", value), rule.get("exclusiveMinimum")
        if not low <= value <= high:
            hint = f"; {value} percent is {value / 100:g}" if path.endswith("rate") and 1 < value <= 100 else ""
            found += bad(f"a number from {rule.get('minimum')} to {rule.get('maximum')}{hint}")
        if above is not None and value <= above:
            found += bad(f"a number above {above}")
    for kind, unit in ((str, "Length"), (list, "Items"), (dict, "Properties")):
        if isinstance(value, kind):
            low, high = rule.get(f"min{unit}", 0), rule.get(f"max{unit}", len(value))
            if not low <= len(value) <= high:
                found += bad(f"{unit.lower()} from {low} to {rule.get(f'max{unit}', 'any')}")
    if rule.get("format") == "date-time" and isinstance(value, str):
        try:
            parse_stamp(here, value)
        except ValueError as error:
            found.append(str(error))
    if isinstance(value, list):
        for at, item in enumerate(value):
            found += schema_problems(item, rule.get("items", True), f"{path}[{at}]")
    if isinstance(value, dict):
        found += object_problems(value, rule, path)
    for part in rule.get("allOf", []):
        found += schema_problems(value, part, path)
    if "not" in rule and not schema_problems(value, rule["not"], path):
        found.append(f"{here}: not together: " + ", ".join(rule["not"].get("required", [])))
    branches = rule.get("oneOf") or rule.get("anyOf")
    return found + (any_of_problems(value, branches, path) if branches else [])


def object_problems(value: dict[str, Any], rule: dict[str, Any], path: str) -> list[str]:
    dot = f"{path}." if path else ""
    found = [f"{dot}{name}: required" for name in rule.get("required", []) if name not in value]
    properties = rule.get("properties", {})
    for name, item in value.items():
        rules = [part for pattern, part in rule.get("patternProperties", {}).items() if re.search(pattern, name)]
        rules += [properties[name]] if name in properties else []
        for part in rules or [rule.get("additionalProperties", True)]:
            found += schema_problems(item, part, dot + name)
    return found


def any_of_problems(value: Any, branches: list[Any], path: str) -> list[str]:
    """`oneOf` too: the plan's branches exclude each other by type or by `kind`."""
    results = [schema_problems(value, branch, path) for branch in branches]
    if [] in results:
        return []
    kinds = [branch.get("properties", {}).get("kind", {}).get("const") for branch in branches]
    if all(kinds) and isinstance(value, dict):
        if value.get("kind") in kinds:
            return results[kinds.index(value["kind"])]
        return [f"{path}.kind: expected one of {', '.join(kinds)}, got `{json.dumps(value.get('kind'))}`"]
    # The branch of the value's own type, or with its own field, says what is wrong.
    for branch, found in zip(branches, results, strict=True):
        fields = set(branch.get("properties", {}))
        if is_type(value, branch.get("type", "null")) and (not isinstance(value, dict) or fields & set(value)):
            return found
    return [f"{path}: fits none of the allowed forms, got `{json.dumps(value)[:80]}`"]
