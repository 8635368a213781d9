"""Targets: callables that a scope replaces where they stand. Owns finding, replacing and putting back; what they are
replaced by is `_wrap`'s."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from types import MethodType, ModuleType
from typing import Any

from ._errors import TargetError

_MISSING: Any = object()
# What was replaced by others while we stood there: put back once they are gone.
_left: list[Target] = []


class Target:
    """One callable, and the module, class or object that holds it."""

    def __init__(self, given: str | Callable[..., Any]) -> None:
        self.name = given if isinstance(given, str) else _name_of(given)
        if isinstance(given, MethodType):
            self._owner, self._attribute = given.__self__, given.__name__
        else:
            self._owner, self._attribute = _owner_of(self.name)
        self._found = _found_in(self._owner, self._attribute, self.name)
        if not isinstance(given, (str, MethodType)) and not _leads_to(self.function, given):
            raise _refusal(self.name, f"another object than the given `{given!r:.80}`: name the target as a string")
        self._before: Any = _MISSING
        self._ours: Any = None

    @property
    def function(self) -> Callable[..., Any]:
        """What is called: for a method, its plain function."""
        function: Callable[..., Any] = _plain(self._found)
        return function

    @property
    def is_method(self) -> bool:
        """It is called on an object or a class, which comes before its arguments."""
        return isinstance(self._owner, type) and not isinstance(self._found, staticmethod) and _binds(self._found)

    def replace(self, wrapper: Callable[..., Any]) -> None:
        ours: Any = wrapper
        if isinstance(self._found, classmethod):
            ours = classmethod(wrapper)
        elif isinstance(self._owner, type) and not self.is_method:
            ours = staticmethod(wrapper)
        # What stood in the object's own namespace comes back; what was inherited is only uncovered.
        self._before = _namespace(self._owner).get(self._attribute, _MISSING)
        try:
            setattr(self._owner, self._attribute, ours)
        except (AttributeError, TypeError) as error:
            raise _refusal(self.name, f"what cannot be replaced ({error})") from error
        self._ours = ours
        _put_left_back()

    def restore(self) -> bool:
        """Puts back what stood there. Where somebody replaced ours meanwhile, theirs stays, until it is gone."""
        kept = self._stands()
        if kept:
            self._put_back()
        elif self._ours is not None:
            _left.append(self)
        _put_left_back()
        return kept

    def _stands(self) -> bool:
        return self._ours is not None and _namespace(self._owner).get(self._attribute, _MISSING) is self._ours

    def _put_back(self) -> None:
        if self._before is _MISSING:
            delattr(self._owner, self._attribute)
        else:
            setattr(self._owner, self._attribute, self._before)
        self._ours = None

    @staticmethod
    def put_left_back() -> None:
        """Puts back what only now can be."""
        _put_left_back()

    def other_names(self) -> list[str]:
        """Where else the same object stands, which nobody replaced: what `from module import name` makes."""
        modules = [(name, module) for name, module in list(sys.modules.items()) if module is not self._owner]
        return sorted(f"{name}.{key}" for name, module in modules for key in _keys_of(module, self._found))


def _keys_of(module: Any, found: object) -> Iterator[str]:
    for key, value in list(getattr(module, "__dict__", {}).items()):
        if value is found:
            yield key


def _put_left_back() -> None:
    again = True
    while again:
        again = False
        for target in list(_left):
            if target._stands():
                _left.remove(target)
                target._put_back()
                # What it put back may be another one's.
                again = True


def _binds(found: Any) -> bool:
    """A class that holds it makes a method of it. CPython 3.13 only warns that it will for partials."""
    if isinstance(found, functools.partial) and sys.version_info < (3, 14):
        return False
    return hasattr(type(found), "__get__")


def _leads_to(function: Any, given: object) -> bool:
    """It is `given`, or a wrapper of it: another scope's, most likely."""
    for _ in range(32):
        if function is given:
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def _name_of(given: Any) -> str:
    module, name = getattr(given, "__module__", None), getattr(given, "__qualname__", None)
    if not callable(given) or not isinstance(module, str) or not isinstance(name, str) or "<" in name:
        raise _refusal(f"{given!r:.80}", "no function or method of a module: name the target as a string")
    return f"{module}.{name}"


def _owner_of(name: str) -> tuple[Any, str]:
    """The module, class or object that holds the target, and the target's name in it."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        path = ".".join(parts[:end])
        try:
            owner: Any = importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name is not None and path.startswith(error.name):
                continue
            raise
        except (TypeError, ValueError):
            # An empty part: no module has such a name.
            continue
        for index, part in enumerate(parts[end:-1], end):
            try:
                owner = getattr(owner, part)
            except AttributeError:
                raise _refusal(name, f"`{'.'.join(parts[:index])}` without a `{part}`") from None
        return owner, parts[-1]
    raise _refusal(name, "no module that can be imported")


def _found_in(owner: Any, attribute: str, name: str) -> Any:
    try:
        found = inspect.getattr_static(owner, attribute)
    except AttributeError:
        # A module may make its names when they are asked for.
        found = getattr(owner, attribute, _MISSING) if isinstance(owner, ModuleType) else _MISSING
    if found is _MISSING:
        raise _refusal(name, f"`{name.rpartition('.')[0]}` without a `{attribute}`")
    if not isinstance(owner, (type, ModuleType)) and hasattr(type(found), "__get__"):
        # Of an object: as it is called on it.
        found = getattr(owner, attribute)
    if not callable(_plain(found)):
        raise _refusal(name, f"a `{type(found).__name__}`")
    return found


def _plain(found: Any) -> Any:
    return found.__func__ if isinstance(found, (staticmethod, classmethod)) else found


def _namespace(owner: Any) -> Any:
    return getattr(owner, "__dict__", {})


def _refusal(name: str, got: str) -> TargetError:
    expected = "`module.function`, `module.Class.method` or the function itself"
    return TargetError(f"targets: expected {expected}, got `{name}`, which is {got}", name)
