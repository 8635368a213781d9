"""Gives a function's own variables one letter each, where the names say nothing that the function's docstring does not."""

import ast
import builtins
import string
from collections import Counter


def own_names(function: ast.FunctionDef) -> Counter[str]:
    """How often each name stands that the function, or one inside it, binds: arguments and variables."""
    bound = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    bound |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return Counter(node.id for node in ast.walk(function) if isinstance(node, ast.Name) and node.id in bound)


def lettered(tree: ast.Module, known: set[str], keywords: set[str]) -> ast.Module:
    """The same module with letters; all that one top-level function binds is taken for one scope, so that a closure's names stay
    one. `known` are the script's top-level names, `keywords` what any call names an argument by: both stay as they are."""
    kept = known | keywords | {*dir(builtins)}
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        found = own_names(function)
        taken = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} | kept
        free = [letter for letter in string.ascii_lowercase if letter not in taken]
        often = [name for name, _ in found.most_common() if name not in kept and len(name) > 1]
        new = dict(zip(often, free, strict=False))
        for node in ast.walk(function):
            if isinstance(node, ast.Name):
                node.id = new.get(node.id, node.id)
            elif isinstance(node, ast.arg):
                node.arg = new.get(node.arg, node.arg)
            elif isinstance(node, (ast.Nonlocal, ast.Global)):
                node.names = [new.get(name, name) for name in node.names]
            elif isinstance(node, ast.ExceptHandler) and node.name:
                # Bound by no `Name`, and so never among those that are renamed where only the handler binds it.
                node.name = new.get(node.name, node.name)
    return tree
