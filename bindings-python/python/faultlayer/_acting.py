"""Makes the exception that an `error` fault names, and raises it from the place of the handler.

Owns which class a name means, what its instance carries and which frame stands on its stack. Does not own whether
anything is raised: the engine decided that. The layer ships this same file; nothing imports it before a fault needs it.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import json
import sys
import types
from collections.abc import Callable
from typing import Any, NoReturn


class FaultInjected(Exception):
    """An injected failure that has no class of its own: a timeout, or a class that could not be had.

    `name` is the class the plan asked for, or None.
    """

    name: str | None = None


def make_error(name: str, message: str, properties: str) -> BaseException:
    """The exception for a plan's `type`, `message` and `properties` (JSON text of an object).

    `name` is a builtin exception or the dotted path of a class. One that is not there, is no exception or takes no
    single message becomes a `FaultInjected` with `NAME: MESSAGE`. Properties become attributes, where the class lets
    them.
    """
    values: dict[str, Any] = json.loads(properties)
    error = _instance(name, message, values)
    if error is None:
        error = FaultInjected(f"{name}: {message}")
        error.name = name
    for key, value in values.items():
        # A slot or a read-only property refuses: the error itself matters more.
        with contextlib.suppress(Exception):
            setattr(error, key, value)
    return error


def make_timeout(message: str) -> BaseException:
    """What a `timeout` raises where nobody kills the process."""
    return FaultInjected(message)


def _instance(name: str, message: str, properties: dict[str, Any]) -> BaseException | None:
    found = _find(name)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        return None
    try:
        error = _client_error(found, message, properties) if _is_client_error(found) else found(message)
    except Exception:
        return None
    return error if isinstance(error, BaseException) else None


def _find(name: str) -> Any:
    if "." not in name:
        return getattr(builtins, name, None)
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except Exception:  # noqa: S112 - no such module, or one that does not load: its parent may hold the class
            continue
        for attribute in parts[end:]:
            found = getattr(found, attribute, None)
        return found
    return None


def _is_client_error(found: type[BaseException]) -> bool:
    botocore = sys.modules.get("botocore.exceptions")
    return botocore is not None and issubclass(found, botocore.ClientError)


def _client_error(found: Any, message: str, properties: dict[str, Any]) -> BaseException:
    """botocore's ClientError takes a response and an operation; the plan's properties `code`, `status`,
    `operation_name`, or a whole `response`, say which."""
    response = properties.get("response")
    if not isinstance(response, dict):
        response = {
            "Error": {"Code": str(properties.get("code", "Unknown")), "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": properties.get("status", 400), "RetryAttempts": 0},
        }
        properties["response"] = response
    error: BaseException = found(response, str(properties.get("operation_name", "Unknown")))
    return error


def thrower(target: Any) -> Callable[[BaseException], NoReturn]:
    """A function that raises its argument with one frame on the stack: the file, the name and the first line of
    `target`, which is where its own errors would come from. Where `target` has no Python code, a frame of this file.
    """
    function = _function_of(target)
    if function is None:
        return _throw
    code = function.__code__
    # `_throw` raises on the line after its first one.
    template = _throw.__code__.replace(
        co_filename=code.co_filename, co_name=code.co_name, co_firstlineno=_first_line(code) - 1
    )
    if sys.version_info >= (3, 11):
        template = template.replace(co_qualname=code.co_qualname)
    return types.FunctionType(template, function.__globals__, code.co_name)


def _throw(error: BaseException) -> NoReturn:
    raise error


def _function_of(target: Any) -> types.FunctionType | None:
    for _ in range(16):
        if isinstance(target, types.FunctionType):
            return target
        if isinstance(target, functools.partial):
            target = target.func
        elif isinstance(target, types.MethodType):
            target = target.__func__
        elif isinstance(target, types.BuiltinFunctionType):
            return None
        else:
            target = getattr(type(target), "__call__", None)  # noqa: B004 - its code is looked for
    return None


def _first_line(code: types.CodeType) -> int:
    for _, _, line in code.co_lines():
        if line is not None and line > code.co_firstlineno:
            return line
    return code.co_firstlineno
