"""Builds the shipped documents: the steps of `documents.py`, each with the modules its script needs, as JSON.

`python build.py` writes them, `python build.py --check` says which are not what the scripts say.
"""

import argparse
import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODULES = HERE / "faultlayer_documents"
OUT = HERE.parent
SCHEMA = HERE.parents[1] / "core" / "plan.schema.json"
PACKAGE = "faultlayer_documents"
# Systems Manager takes documents of at most 64 KB.
LIMIT = 64 * 1024

sys.path.insert(0, str(HERE))
from documents import DOCUMENTS  # noqa: E402
from faultlayer_documents.schema import KNOWN, TEXTS  # noqa: E402


class Smaller(ast.NodeTransformer):
    """Takes out what only people and type checkers read: docstrings, and annotations of functions."""

    def body_of(self, node: Any) -> Any:
        self.generic_visit(node)
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    visit_Module = visit_ClassDef = body_of

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.returns = None
        arguments = node.args
        for argument in [*arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
            if argument:
                argument.annotation = None
        node.body = [self.plain(statement) for statement in node.body]
        return self.body_of(node)

    def plain(self, node: ast.stmt) -> ast.stmt:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) and getattr(node, name, None):
                setattr(node, name, [self.plain(statement) for statement in getattr(node, name)])
        return node


def slim(schema: Any, names: bool = False) -> Any:
    """A schema without its texts. `names` says that the keys are a plan's fields and no keywords."""
    if isinstance(schema, list):
        return [slim(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if not names and key in TEXTS:
            continue
        if not names and key not in KNOWN:
            raise SystemExit(f"{SCHEMA.name}: keyword `{key}`, which the scripts' validator does not know")
        literal = not names and key in ("const", "enum", "required")
        kept[key] = value if literal else slim(value, names=not names and key in ("properties", "$defs", "patternProperties"))
    return kept


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def literal(schema: dict[str, Any]) -> str:
    """A schema as Python, every part that stands in several places once, under a name of its own."""
    counts: dict[str, int] = {}

    def count(value: Any) -> None:
        if isinstance(value, (dict, list)) and len(compact(value)) > 12:
            counts[compact(value)] = counts.get(compact(value), 0) + 1
            if counts[compact(value)] > 1:
                return
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            count(child)

    count(schema)
    # The smallest first: a part may hold another one.
    texts = sorted((text for text, times in counts.items() if times > 1), key=len)
    names = {text: f"S{at}" for at, text in enumerate(texts)}

    def render(value: Any, top: bool = False) -> str:
        if not top and isinstance(value, (dict, list)) and compact(value) in names:
            return names[compact(value)]
        if isinstance(value, dict):
            return "{" + ",".join(f"{key!r}:{render(child)}" for key, child in value.items()) + "}"
        return "[" + ",".join(map(render, value)) + "]" if isinstance(value, list) else repr(value)

    parts = [f"{name}={render(json.loads(text), top=True)}" for text, name in names.items()]
    return "\n".join([*parts, f"PLAN_SCHEMA={render(schema)}"])


def script(handler_module: str, handler: str) -> str:
    """One script: a handler and all it reaches in this package, dependencies first, each name once."""
    order: list[str] = []
    trees: dict[str, ast.Module] = {}
    imports: dict[str, dict[str, None]] = {}

    def add(name: str) -> None:
        if name in trees:
            return
        source = (MODULES / f"{name}.py").read_text() if name != "plan_schema" else "PLAN_SCHEMA = None"
        tree = trees[name] = ast.parse(source)
        for node in list(tree.body):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE):
                if any(alias.asname for alias in node.names):
                    raise SystemExit(f"{name}.py: an import under another name cannot be concatenated")
                add(node.module.split(".")[1])
                tree.body.remove(node)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    start = f"from {node.module} import " if isinstance(node, ast.ImportFrom) else "import "
                    imports.setdefault(start, {})[alias.name] = None
                tree.body.remove(node)
        order.append(name)

    add(handler_module)
    owners: dict[str, str] = {}
    for name in order:
        for node in trees[name].body:
            for defined in defined_names(node):
                if owners.setdefault(defined, name) != name:
                    raise SystemExit(f"`{defined}` is defined in {owners[defined]}.py and in {name}.py")
    used = needed(trees, order, handler)
    parts = [start + ", ".join(sorted(names)) for start, names in sorted(imports.items())]
    for name in order:
        tree = trees[name]
        tree.body = [node for node in tree.body if not defined_names(node) or used & set(defined_names(node))]
        if name == "plan_schema" and tree.body:
            parts.append(literal(slim(json.loads(SCHEMA.read_text()))))
            continue
        parts.append(ast.unparse(ast.fix_missing_locations(Smaller().visit(tree))))
    text = "\n".join(part for part in parts if part)
    # One space per level is enough, and blank lines say nothing.
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(re.sub(r"^( +)", lambda m: " " * (len(m.group(1)) // 4), line) for line in lines) + "\n"


def defined_names(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        names = [name for target in node.targets for name in ast.walk(target)]
        return [name.id for name in names if isinstance(name, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def needed(trees: dict[str, ast.Module], order: list[str], handler: str) -> set[str]:
    """The top-level names a script reaches from its handler; the rest need not be carried along."""
    nodes = {defined: node for name in order for node in trees[name].body for defined in defined_names(node)}
    todo = [handler]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in nodes and name not in found:
            found.add(name)
            todo += [child.id for child in ast.walk(nodes[name]) if isinstance(child, ast.Name)]
    return found


def laid_out(document: dict[str, Any]) -> str:
    """JSON with one line for every parameter and every input of a step: readable, and a kilobyte less than indenting all."""

    def lines(value: Any, depth: int) -> str:
        space = "\n" + " " * (3 - depth)
        if depth and isinstance(value, dict) and value:
            inner = ",".join(f"{space}{json.dumps(key)}:{lines(child, depth - 1)}" for key, child in value.items())
            return "{" + inner + space[:-1] + "}"
        if depth and isinstance(value, list) and value and isinstance(value[0], dict):
            return "[" + ",".join(space + lines(child, depth - 1) for child in value) + space[:-1] + "]"
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    return lines(document, 3) + "\n"


def build(name: str) -> str:
    """One document's JSON text."""
    document = json.loads(json.dumps(DOCUMENTS[name]))
    for step in document["mainSteps"]:
        if step["action"] == "aws:executeScript":
            step["inputs"]["Script"] = script(step["inputs"]["Script"], step["inputs"]["Handler"])
    text = laid_out(document)
    if len(text.encode()) > LIMIT:
        sizes = {step["name"]: len(json.dumps(step["inputs"])) for step in document["mainSteps"]}
        raise SystemExit(f"{name}: {len(text.encode())} bytes, the most is {LIMIT}: {sizes}")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is not what the scripts say")
    wrong = []
    if sys.version_info[:2] != (3, 11):
        print("the documents are built by CPython 3.11: other versions print code a little differently", file=sys.stderr)
        return 1
    check = parser.parse_args().check
    for name in DOCUMENTS:
        path, text = OUT / f"{name}.json", build(name)
        if check:
            wrong += [path.name] * (not path.exists() or path.read_text() != text)
        else:
            path.write_text(text)
            print(f"{path.name}: {len(text.encode())} bytes")
    if wrong:
        print("not what the scripts say, run `make ssm-documents`: " + ", ".join(wrong), file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
