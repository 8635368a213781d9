"""Builds the shipped documents: the steps of `documents.py`, each with the functions its script reaches, as JSON.

A script begins with the version, the file it is made from and a hash of what follows, and each function keeps the first
line of its docstring, up to where its first sentence ends: an operator reads it in the console. Annotations, comments, the
space around signs and parentheses that change nothing go, and in the check of a plan's text variables are letters.

`python build.py` writes them and prints how much room each has left, `python build.py --check` says which are not what the
scripts say, `python build.py --sizes` which module takes how much of each document.
"""

import argparse
import ast
import contextlib
import functools
import hashlib
import io
import json
import keyword
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODULES = HERE / "faultlayer_documents"
OUT = HERE.parent
FIELDS = HERE.parents[1] / "core" / "plan.fields.json"
VERSION = re.search(r'^version = "(.+)"', (HERE.parents[1] / "Cargo.toml").read_text(), re.M)[1]  # type: ignore[index]
PACKAGE = "faultlayer_documents"
# Systems Manager takes documents of at most 64 KB (65,536 bytes). What an account registers has ARNs as defaults besides, and
# what is to come needs room.
LIMIT = 56_000
# The check of a plan's text: a quarter of a document, and no operator asks there what happens to a function.
LETTERED = ("validate", "pattern", "written", "plan")
# Shapes that stand in the table of fields many times, by a name of their own.
SHAPES = {"N": "integer 0 to 9007199254740991", "MS": "number 0 to 900000", "T": "text of 1 to 256", "ONE": "object with one of"}
# What begins a block of its own, and cannot follow a colon.
COMPOUND = re.compile(r"(if|for|while|with|try|def|class)\b|@")

sys.path.insert(0, str(HERE))
from documents import DOCUMENTS  # noqa: E402
from letters import lettered  # noqa: E402


class Smaller(ast.NodeTransformer):
    """Takes out what only type checkers read, and of docstrings all but a function's first line."""

    def body_of(self, node: Any) -> Any:
        self.generic_visit(node)
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            line = re.split(r"[.;]( |$)", first.value.value.splitlines()[0])[0]
            kept = [ast.Expr(ast.Constant(line))] if isinstance(node, ast.FunctionDef) else []
            node.body = kept + node.body[1:] or [ast.Pass()]
        return node

    visit_ClassDef = body_of

    def visit_Module(self, node: ast.Module) -> Any:
        node.body = [self.plain(statement) for statement in node.body]
        return self.body_of(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.returns = None
        arguments = node.args
        for argument in [*arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
            if argument:
                argument.annotation = None
        node.body = answered([self.plain(statement) for statement in node.body])
        return self.body_of(node)

    def plain(self, node: ast.stmt) -> ast.stmt:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) and getattr(node, name, None):
                setattr(node, name, answered([self.plain(statement) for statement in getattr(node, name)]))
        return node


def answered(body: list[ast.stmt]) -> list[ast.stmt]:
    """A block without the name that was given to its answer for the type checker's sake alone."""
    if len(body) > 1 and isinstance(body[-2], ast.Assign) and isinstance(body[-1], ast.Return):
        given, answer = body[-2].targets[0], body[-1].value
        if isinstance(given, ast.Name) and isinstance(answer, ast.Name) and given.id == answer.id:
            return [*body[:-2], ast.copy_location(ast.Return(body[-2].value), body[-1])]
    return body


@functools.cache
def bare(text: str) -> str:
    """The same code without parentheses that change nothing."""
    meant, tried = ast.dump(ast.parse(text)), len(text)
    while pairs := [pair for pair in parentheses(text) if pair[0] < tried]:
        tried, end = max(pairs)
        shorter = text[:tried] + text[tried + 1 : end] + text[end + 1 :]
        with contextlib.suppress(SyntaxError):
            text = shorter if ast.dump(ast.parse(shorter)) == meant else text
    return text


def parentheses(text: str) -> Iterator[tuple[int, int]]:
    """Where each pair begins and ends that is no call's or definition's."""
    lines = [0, *(at + 1 for at, sign in enumerate(text) if sign == "\n")]
    opened: list[int] = []
    before = False
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.OP and token.string in "()":
            at = lines[token.start[0] - 1] + token.start[1]
            if token.string == "(":
                opened.append(-1 if before else at)
            elif (begins := opened.pop()) >= 0:
                yield begins, at
        before = (token.type == tokenize.NAME and not keyword.iskeyword(token.string)) or token.string in (")", "]")


def tight(text: str) -> str:
    """The same code with one space a level and none around signs; keywords keep theirs but beside a bracket or a text, and a block of
    one plain statement stands on the line of its head."""
    lines: list[tuple[int, str]] = []
    line, depth = "", 0
    before: tokenize.TokenInfo | None = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind, word = token.type, token.string
        if kind in (tokenize.INDENT, tokenize.DEDENT):
            depth += 1 if kind == tokenize.INDENT else -1
        elif kind in (tokenize.NEWLINE, tokenize.NL):
            lines += [(depth, line)] * bool(line)
            line, before = "", None
        elif word:
            if kind == tokenize.STRING and not word.startswith("f"):
                word = fewest(ast.literal_eval(word))
            apart = before is not None and before.end != token.start
            sign = tokenize.OP in (kind, before.type if before else None)
            words = keyword.iskeyword(word) or (before is not None and keyword.iskeyword(before.string))
            beside = line.endswith((*"=,)]}", "'", '"')) or (sign and word in "([{")
            line += " " * (apart and (words or not sign) and not beside) + word
            before = token
    ends = [depth for depth, _ in lines[1:]] + [0]
    made: list[str] = []
    joins = False
    for at, (depth, line) in enumerate(lines):
        if joins:
            made[-1] += line
        else:
            made.append(" " * depth + line)
        alone = at + 1 < len(lines) and ends[at] == depth + 1 and ends[at + 1] <= depth
        joins = line.endswith(":") and alone and not COMPOUND.match(lines[at + 1][1])
    return "\n".join(made) + "\n"


def fewest(value: str) -> str:
    """A text as the JSON around it needs the fewest marks."""
    raw = f"r'{value}'" if value.isprintable() and "'" not in value and not value.endswith("\\") else repr(value)
    return min(repr(value), raw, key=lambda word: len(json.dumps(word)))


def table() -> str:
    """The plan's fields as Python, one line for each object."""
    lines = "\n".join(f"{name}: {line}" for name, line in json.loads(FIELDS.read_text()).items())
    for named, shape in SHAPES.items():
        lines = lines.replace(shape, "{" + named + "}")
    shapes = "".join(f"{named}={shape!r}\n" for named, shape in SHAPES.items())
    return shapes + f"PLAN_FIELDS=dict(line.split(': ',1) for line in f'''{lines}'''.split('\\n'))\n"


def script(handler_module: str, handler: str) -> str:
    """One script: a handler and all it reaches in this package, dependencies first, each name once."""
    order: list[str] = []
    trees: dict[str, ast.Module] = {}
    imports: dict[str, dict[str, None]] = {}

    def add(name: str) -> None:
        if name in trees:
            return
        source = (MODULES / f"{name}.py").read_text() if name != "fields" else "PLAN_FIELDS = None"
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
    keywords = {node.arg for name in order for node in ast.walk(trees[name]) if isinstance(node, ast.keyword) and node.arg}
    parts, named = [], set()
    for name in order:
        tree = trees[name]
        tree.body = [node for node in tree.body if not defined_names(node) or used & set(defined_names(node))]
        small = ast.fix_missing_locations(Smaller().visit(tree))
        if name in LETTERED:
            small = lettered(small, {*owners}, keywords)
        named |= {child.id for child in ast.walk(small) if isinstance(child, ast.Name)}
        parts += [table()] if name == "fields" and tree.body else [bare(ast.unparse(node)) for node in small.body]
    known = {start: sorted(named & set(names)) for start, names in sorted(imports.items())}
    text = tight("\n".join([*(start + ", ".join(names) for start, names in known.items() if names), *parts]))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"# Faultlayer {VERSION}, ssm-documents/scripts/{PACKAGE}/{handler_module}.py, sha256 {digest}\n{text}"


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
    """JSON with one line for every parameter and every part of a step: readable, and a kilobyte less than indenting all."""

    def lines(value: Any, depth: int) -> str:
        space = "\n" + " " * (3 - depth)
        if depth and isinstance(value, dict) and value and "type" not in value:
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


def sizes(name: str) -> dict[str, int]:
    """How many bytes of a document each module's part takes, docstrings, and what is no script."""
    owners = {one: path.stem for path in MODULES.glob("*.py") for node in ast.parse(path.read_text()).body for one in defined_names(node)}
    document, found = json.loads(build(name)), {"docstrings": 0}
    for step in document["mainSteps"]:
        code = step["inputs"].pop("Script", "") if "inputs" in step else ""
        for node in ast.parse(code).body:
            module = owners.get((defined_names(node) or [""])[0], "imports")
            found[module] = found.get(module, 0) + len(json.dumps(ast.get_source_segment(code, node), ensure_ascii=False))
        said = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)]
        found["docstrings"] += len("".join(said))
    return {"steps and parameters": len(laid_out(document).encode()), **dict(sorted(found.items(), key=lambda one: -one[1]))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is not what the scripts say")
    parser.add_argument("--sizes", action="store_true", help="write nothing; print which module takes how many bytes")
    wrong = []
    if sys.version_info[:2] != (3, 11):
        print("the documents are built by CPython 3.11: other versions print code a little differently", file=sys.stderr)
        return 1
    check, tell = (given := parser.parse_args()).check, given.sizes
    for name in DOCUMENTS:
        if tell:
            print(name, *(f"  {size:6} {part}" for part, size in sizes(name).items()), sep="\n")
            continue
        path, text = OUT / f"{name}.json", build(name)
        if check:
            wrong += [path.name] * (not path.exists() or path.read_text() != text)
        else:
            path.write_text(text)
            size = len(text.encode())
            print(f"{path.name}: {size} bytes, {LIMIT - size} left of {LIMIT}")
    if wrong:
        print("not what the scripts say, run `make ssm-documents`: " + ", ".join(wrong), file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
