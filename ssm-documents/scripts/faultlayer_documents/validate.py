"""Checks a plan as the engine does: what it refuses is refused here, with the same path, and nothing else.

`PLAN_FIELDS` is the engine's own table (`core/src/plan/table.rs` says how to read it), so that what a field may hold is
written once. The rules that no table holds are here and in the engine; `tests/vectors/refusals.json` binds the two.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from faultlayer_documents.fields import PLAN_FIELDS
from faultlayer_documents.pattern import pattern_problems
from faultlayer_documents.written import TWICE, instant, is_number, read_plan

# The field that goes with an effect alone.
EFFECTS = {"latency": "delay_ms", "bandwidth": "kib_per_s", "reset": "after_bytes", "dns": "answer"}


def problem(path: str, expected: str, *got: Any) -> str:
    """A line about what stands at a path."""
    return f"{path or 'plan'}: expected {expected}, " + (f"got `{json.dumps(got[0])[:80]}`" if got else "nothing stands there")


def fits(shape: str, value: Any) -> bool:
    """Whether a plain value is what its shape says. One without parts."""
    kind, *words = shape.split()
    limits = [float(word) for word in words if word[0].isdigit()]
    if kind in ("number", "integer"):
        low, high = limits
        return (
            is_number(value) and low <= value <= high and not ("above" in words and value == low) and not (kind == "integer" and value % 1)
        )
    if kind == "text":
        return isinstance(value, str) and (not limits or limits[0] <= len(value) <= limits[1])
    if kind in ("one", "time"):
        return isinstance(value, str) and (value in words[1:] or bool(kind == "time" and instant(value)))
    return kind == "any" or isinstance(value, bool if kind == "true" else dict)


def rises(points: dict[str, Any], most: float) -> bool:
    """Whether percentiles and milliseconds rise. Together, up to 100."""
    try:
        pairs = sorted((float(key) if set(key) <= {*"0123456789."} else -1.0, value) for key, value in points.items())
    except (TypeError, ValueError):
        return False
    good = pairs and pairs[-1][0] == 100 and all(at >= 0 and is_number(value) and 0 <= value <= most for at, value in pairs)
    return bool(good) and all(one[0] < two[0] and one[1] <= two[1] for one, two in pairwise(pairs))


def shape_problems(value: Any, shape: str, path: str) -> Iterator[str]:
    """What is wrong by a field's shape."""
    plain, _, more = shape.partition(" | ")
    chosen = more if more and isinstance(value, dict) else plain
    kind, *words = chosen.split()
    good = False
    if isinstance(value, list) and kind == "list":
        good = int(words[1]) <= len(value) <= int(words[3])
        for at, item in enumerate(value):
            here = f"{path}[{at}]"
            yield from fault_problems(item, here) if words[4] == "faults" else shape_problems(item, " ".join(words[4:]), here)
    elif isinstance(value, dict) and (kind in ("strings", "pattern", "percentiles") or (kind == "object" and words)):
        good = kind != "percentiles" or rises(value, float(words[1]))
        if kind == "object":
            yield from object_problems(value, [words[-1]], path, "one" in words)
        elif kind == "pattern":
            yield from pattern_problems(value, path)
        elif kind == "strings":
            yield from (problem(f"{path}.{key}", "text", item) for key, item in value.items() if not isinstance(item, str))
    elif kind not in ("list", "percentiles"):
        good = fits(chosen, value)
    if not good:
        percent = f" ({value} percent is {value / 100:g})" if plain == "number 0 to 1" and is_number(value) and 1 < value <= 100 else ""
        yield problem(path, shape + percent, value)


def fields_of(*tables: str) -> dict[str, str]:
    """The fields of tables. Name, with `!` where it must stand, and shape with rules."""
    return dict(part.split(" ", 1) for table in tables for part in PLAN_FIELDS[table].split(", ") if part)


def object_problems(value: dict[str, Any], tables: list[str], path: str, one: bool = False) -> Iterator[str]:
    """What is wrong with an object by its tables."""
    fields, dot = fields_of(*tables), f"{path}." if path else ""
    known = {name.rstrip("!"): shape for name, shape in fields.items()}
    for name, item in value.items():
        shape, _, other = known.get(name, "").partition(" without ")
        shape, _, least = shape.partition(" >= ")
        if not shape:
            yield problem(dot + name, "no field but " + ", ".join(known), item)
            continue
        if other in value:
            yield problem(dot + name, f"it only without `{other}`", item)
        if is_number(item) and is_number(value.get(least)) and item < value[least]:
            yield problem(dot + name, f"at least `{least}`, which is {value[least]}", item)
        yield from shape_problems(item, shape, dot + name)
    if one and (not value or len({*known} & {*value}) > 1):
        yield problem(path, "exactly one of " + ", ".join(known), value)
    for name, shape in known.items():
        if name not in value and f"{name}!" in fields:
            yield problem(dot + name, shape)


def parts(items: Any, name: str) -> list[Any]:
    """One field of each object of a list."""
    return [item.get(name) if isinstance(item, dict) else None for item in items] if isinstance(items, list) else []


def fault_problems(fault: Any, path: str) -> Iterator[str]:
    """What is wrong with one fault. Its kind's fields, and what holds between them."""
    if not isinstance(fault, dict):
        yield problem(path, "an object with id, kind and rate", fault)
        return
    kind, kinds = fault.get("kind"), PLAN_FIELDS["kinds"].split(", ")
    takes_when = f"{kind} when" in kinds
    if not takes_when and kind not in kinds:
        names = ", ".join(name.split()[0] for name in kinds)
        yield problem(f"{path}.kind", f"one of {names}", *([kind] if "kind" in fault else []))
        common = {name: item for name, item in fault.items() if {name, f"{name}!"} & {*fields_of("fault")}}
        yield from object_problems({**common, "kind": ""}, ["fault"], path)
        return
    yield from object_problems(fault, ["fault", *["when"] * takes_when, f"kind {kind}"], path)
    if takes_when:
        during, borders = fault.get("when") == "during", [name for name in ("after_bytes", "after_ms") if name in fault]
        for name in [] if during else borders:
            yield problem(f"{path}.{name}", "it only with `when`: `during`", fault[name])
        if during and len(borders) != 1:
            yield problem(f"{path}.when", "either `after_bytes` or `after_ms` beside `during`", "during")
    classes = fault.get("type")
    if kind == "error" and isinstance(classes, dict) and not {*classes} & {*fields_of("type")}:
        yield problem(f"{path}.type", "a class for at least one language", classes)
    if kind == "aws_call" and "error" not in fault:
        yield from (problem(f"{path}.{name}", "it only with `error`", fault[name]) for name in ("status", "message") if name in fault)
        if "delay_ms" not in fault:
            yield problem(f"{path}.error", "it or `delay_ms`")
    if kind == "network":
        yield from network_problems(fault, path)
    [steps] = parts([fault.get("rate")], "steps")
    for at, (one, two) in enumerate(pairwise(parts(steps, "at_s"))):
        if is_number(one) and is_number(two) and two <= one:
            yield problem(f"{path}.rate.steps[{at + 1}].at_s", f"seconds that rise from step to step, after {one}", two)


def network_problems(fault: dict[str, Any], path: str) -> Iterator[str]:
    """What effect and target rule out. Lambda's own addresses, and the extensions' ports."""
    effect = fault.get("effect")
    for owner, name in EFFECTS.items() if isinstance(effect, str) else ():
        if (name in fault) != (effect == owner) and (name in fault or owner in ("latency", "bandwidth")):
            yield problem(f"{path}.{name}", f"it with `{owner}` alone", *parts([fault], name))
    targets = [(f"{path}.target", fault.get("target"))]
    for here, target in targets:
        for name, items in target.items() if isinstance(target, dict) else ():
            for at, item in enumerate(items if isinstance(items, list) else ()):
                if name == "$or":
                    targets.append((f"{here}.$or[{at}]", item))
                if (name == "host" and str(item).startswith("169.254.")) or (name == "port" and repr(item) in ("2772", "2773")):
                    yield problem(f"{here}.{name}[{at}]", "none of Lambda's own", item)


def doubled(value: Any, path: str = "") -> Iterator[str]:
    """Every key that stands twice in one object; takes out `read_plan`'s notes of them."""
    items = [(f"[{at}]", item) for at, item in enumerate(value)] if isinstance(value, list) else []
    if isinstance(value, dict):
        dot = "." if path else ""
        yield from (f"{path}{dot}{name}: expected one value for one key" for name in value.pop(TWICE, []))
        items = [(dot + name, item) for name, item in value.items()]
    for name, item in items:
        yield from doubled(item, path + name)


def plan_problems(text: str) -> list[str]:
    """All that is wrong with a plan. One line for each problem, its path first.

    Attaching sets `starts_at` and `expires_at`, so that neither need stand. Raises ValueError for a text that is no JSON
    object."""
    plan = read_plan(text)
    found = [*doubled(plan), *object_problems(plan, ["plan"], "")]
    start, end = instant(plan.get("starts_at")), instant(plan.get("expires_at"))
    if start and end and end <= start:
        found.append(problem("expires_at", "a time after `starts_at`", plan["expires_at"]))
    ids = parts(plan.get("faults"), "id")
    twice = [at for at, name in enumerate(ids) if isinstance(name, str) and name in ids[:at]]
    return found + [problem(f"faults[{at}].id", "an id of its own", ids[at]) for at in twice]
