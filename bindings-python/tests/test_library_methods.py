"""Methods: what one is called on is no argument, so that event, context and request id are what the caller gave."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from faultlayer import Fault, TargetError, faults, inject, wrap

CONTEXT = SimpleNamespace(aws_request_id="r-77")
MATCHED = Fault.payload("hit", match={"event": {"k": ["v"]}})


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    def other(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return other


def echo(event: Any, context: Any) -> Any:
    return event


class Echo:
    """Not bound by what holds it."""

    def __call__(self, event: Any, context: Any) -> Any:
        return event


class Base:
    def handle(self, event: Any, context: Any) -> Any:
        return (self, event)

    async def later(self, event: Any, context: Any) -> Any:
        return (self, event)

    @classmethod
    def of_class(cls, event: Any, context: Any) -> Any:
        return (cls, event)

    @staticmethod
    def of_nothing(event: Any, context: Any) -> Any:
        return event

    class Inner:
        def handle(self, event: Any, context: Any) -> Any:
            return (self, event)

    @property
    def prop(self) -> int:
        return 5

    @functools.cached_property
    def cached(self) -> int:
        return 6

    part = functools.partialmethod(handle, {})
    called = Echo()
    static_partial = staticmethod(functools.partial(echo))


class Heir(Base):
    pass


held = Base()
CALLS: dict[str, Callable[[], Callable[..., Any]]] = {
    "Base.handle": lambda: Base().handle,
    "Base.later": lambda: Base().later,
    "Base.of_class": lambda: Base.of_class,
    "Base.of_nothing": lambda: Base.of_nothing,
    "Base.Inner.handle": lambda: Base.Inner().handle,
    "Base.called": lambda: Base().called,
    "Base.static_partial": lambda: Base().static_partial,
    "Heir.handle": lambda: Heir().handle,
    "Heir.of_class": lambda: Heir.of_class,
    "Heir.of_nothing": lambda: Heir().of_nothing,
    "held.handle": lambda: held.handle,
}


def told(call: Callable[..., Any], event: Any) -> Any:
    answer = call(event, CONTEXT)
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer


@pytest.mark.parametrize("name", CALLS)
def test_a_target_sees_the_event_and_the_context_of_the_call(name: str) -> None:
    before = {owner: dict(vars(owner)) for owner in (Base, Heir, Base.Inner, held)}
    with faults(MATCHED, f"{__name__}.{name}") as chaos:
        assert told(CALLS[name](), {"k": "v"}) == "hit"
        own = told(CALLS[name](), {"k": "other"})
        # Bound as ever: an instance of the class, the class itself, or nothing.
        assert own == {"k": "other"} or own[1] == {"k": "other"}
        assert [record["requestId"] for record in chaos.records] == ["r-77"]
    assert told(CALLS[name](), {"k": "v"}) != "hit"
    assert {owner: dict(vars(owner)) for owner in before} == before


class Injected:
    @inject(MATCHED)
    def handle(self, event: Any, context: Any) -> Any:
        return (type(self), event)

    @inject(MATCHED)
    async def later(self, event: Any, context: Any) -> Any:
        return (type(self), event)

    @classmethod
    @inject(MATCHED)
    def of_class(cls, event: Any, context: Any) -> Any:
        return (cls, event)

    @staticmethod
    @inject(MATCHED)
    def of_nothing(event: Any, context: Any) -> Any:
        return event

    @decorated
    @inject(MATCHED)
    def inside(self, event: Any, context: Any) -> Any:
        return (type(self), event)

    @inject(MATCHED)
    @decorated
    def outside(self, event: Any, context: Any) -> Any:
        return (type(self), event)


class InjectedHeir(Injected):
    def handle(self, event: Any, context: Any) -> Any:
        return super().handle(event, context)


@pytest.mark.parametrize("kind", [Injected, InjectedHeir])
@pytest.mark.parametrize("name", ["handle", "later", "of_class", "of_nothing", "inside", "outside"])
def test_an_injection_point_sees_the_event_of_the_call(kind: Any, name: str) -> None:
    for call in (getattr(kind(), name), functools.partial(getattr(kind, name), kind())):
        if isinstance(call, functools.partial) and name in ("of_class", "of_nothing"):
            continue
        assert told(call, {"k": "v"}) == "hit"
        own = told(call, {"k": "other"})
        assert own in ({"k": "other"}, (kind, {"k": "other"}))


def test_an_injection_point_of_a_local_class_sees_it_too() -> None:
    class Local:
        @inject
        def handle(self, event: Any, context: Any) -> Any:
            return event

        @staticmethod
        @inject
        def of_nothing(event: Any, context: Any) -> Any:
            return event

    with faults(MATCHED) as chaos:
        assert Local().handle({"k": "v"}, CONTEXT) == "hit"
        assert Local.of_nothing({"k": "v"}, CONTEXT) == "hit"
        # Its own instance as an event is an event.
        instance = Local()
        assert Local.of_nothing(instance, CONTEXT) is instance
    assert [record["requestId"] for record in chaos.records] == ["r-77"] * 2


def test_a_method_is_wrapped_bound_or_not() -> None:
    bound: Any = wrap(Base().handle, MATCHED)
    unbound: Any = wrap(Base.handle, MATCHED)
    assert bound({"k": "v"}, CONTEXT) == unbound(Base(), {"k": "v"}, CONTEXT) == "hit"


def test_a_target_is_given_as_the_function_itself() -> None:
    hit = Fault.payload("hit")
    targets: list[tuple[Any, Callable[[], Any]]] = [
        (told, lambda: told(print, 1)),
        (Base.handle, lambda: Base().handle({}, None)),
    ]
    for given, call in targets:
        with faults(hit, given) as chaos:
            assert call() == "hit"
        assert chaos.fired() == 1
        assert call() != "hit"
    with faults(hit, Base.of_class, Base.of_nothing, Base.Inner.handle) as chaos:
        assert (Base.of_class({}, None), Base.of_nothing({}, None), Base.Inner().handle({}, None)) == ("hit",) * 3
        with faults(hit, Base.Inner.handle) as nearer:
            assert Base.Inner().handle({}, None) == "hit"
        assert nearer.fired() == 1
    one, other = Base(), Base()
    with faults(hit, one.handle):
        assert one.handle({}, None) == "hit"
        assert other.handle({}, None) == (other, {})
    assert vars(one) == {}


def other_module(function: Any) -> Any:
    return function


REFUSED: dict[str, tuple[Any, str]] = {
    "a property": (f"{__name__}.Base.prop", "which is a `property`"),
    "a cached property": (f"{__name__}.Base.cached", "which is a `cached_property`"),
    "a partial method": (f"{__name__}.Base.part", "which is a `partialmethod`"),
    "no such method": (f"{__name__}.Base.nothing", "which is `test_library_methods.Base` without a `nothing`"),
    "no such class": (f"{__name__}.Nobody.handle", "which is `test_library_methods` without a `Nobody`"),
    "no such nested class": (f"{__name__}.Base.No.handle", "which is `test_library_methods.Base` without a `No`"),
    "a method of a builtin": ("builtins.dict.get", "which is what cannot be replaced"),
    "a lambda": (lambda: 1, "name the target as a string"),
    "a number": (5, "name the target as a string"),
    "an empty name": ("", "which is no module that can be imported"),
    "dots": ("..", "which is no module that can be imported"),
    "another object": (functools.wraps(other_module)(lambda: 1), "which is another object than the given"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_a_target_is_refused_by_name(case: str) -> None:
    given, why = REFUSED[case]
    with pytest.raises(TargetError) as caught, faults(Fault.latency(0), given):
        pass
    assert str(caught.value).startswith(
        "targets: expected `module.function`, `module.Class.method` or the function itself"
    )
    assert why in str(caught.value)
    assert caught.value.code == "target_missing"
    if isinstance(given, str):
        assert caught.value.path == given
