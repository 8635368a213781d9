"""Where an injected error shows, for every shape that a handler may have: where its own would show, never with us."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Lambda
from test_layer_calls import plan

# The marked line is where an error of that handler's own would show.
SHAPES = '''
import asyncio, functools, operator

def decorate(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

def plain(event, context):
    return event  # plain

def of_many_lines(
    event,
    context,
):
    """Says what it does."""

    return event  # of_many_lines

@decorate
@decorate
def decorated(event, context):
    return event  # decorated

one_line = lambda event, context: event  # one_line

@functools.lru_cache
def cached(event, context):
    return event  # cached

@functools.singledispatch
def dispatched(event, context):
    return event  # dispatched

async def asynchronous(event, context):
    return event  # asynchronous

def generating(event, context):
    yield event  # generating

def outer():
    def inner(event, context):
        return event  # inner
    return inner

inner = outer()

class Service:
    def method(self, event, context):
        return event  # method

    @classmethod
    def of_class(cls, event, context):
        return event  # of_class

    @staticmethod
    @decorate
    def of_nothing(event, context):
        return event  # of_nothing

    def __call__(self, event, context):
        return event  # service

class Called:
    @decorate
    def __call__(self, event, context):
        return event  # called

class Made:
    def __init__(self, event, context):
        self.event = event  # Made

class New:
    def __new__(cls, event, context):
        return object.__new__(cls)  # New

class Answering:
    """Answers to every name."""

    def __getattr__(self, name):
        return self

    def __call__(self, event, context):
        return event  # answering

class Held:
    __call__ = Called()

service, called, answering, held = Service(), Called(), Answering(), Held()
method, of_class, of_nothing = service.method, Service.of_class, Service.of_nothing
partial = functools.partial(plain)
partial_method = functools.partial(functools.partial(Service.method, service))

builtin = divmod
c_object = operator.itemgetter(5)
c_class = range
c_method = [].append
c_partial = functools.partial(divmod)
circle = functools.partial(divmod)
circle.__wrapped__ = circle
'''
# The handler's name, the function that shows, the mark of its line where that is another's.
WITH_CODE = [
    ("plain", "plain"),
    ("of_many_lines", "of_many_lines"),
    ("decorated", "decorated"),
    ("one_line", "<lambda>"),
    ("cached", "cached"),
    ("dispatched", "dispatched"),
    ("asynchronous", "asynchronous"),
    ("generating", "generating"),
    ("inner", "inner"),
    ("method", "method"),
    ("of_class", "of_class"),
    ("of_nothing", "of_nothing"),
    ("service", "__call__"),
    ("called", "__call__"),
    ("Made", "__init__"),
    ("New", "__new__"),
    ("answering", "__call__"),
    ("held", "__call__", "called"),
    ("partial", "plain", "plain"),
    ("partial_method", "method", "method"),
]
WITHOUT_CODE = ["builtin", "c_object", "c_class", "c_method", "c_partial", "circle"]
FAULTS: list[dict[str, Any]] = [
    {"kind": "error", "type": "TypeError", "message": "m"},
    {"kind": "timeout"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault["kind"]))
@pytest.mark.parametrize("shape", WITH_CODE, ids=lambda shape: str(shape[0]))
def test_an_injected_error_shows_in_the_handler_s_first_line(
    one_function: Lambda, shape: tuple[str, ...], fault: Any
) -> None:
    handler, name, mark = (*shape, shape[0])[:3]
    one_function.write("app.py", SHAPES)
    lines = SHAPES.splitlines()
    number = next(index for index, line in enumerate(lines, 1) if line.endswith(f"# {mark}"))
    with one_function.start(f"app.{handler}", variables=plan(fault), timeout_s=0.01) as environment:
        told = environment.invoke({}).json
    shown = f'  File "{one_function.code}/app.py", line {number}, in {name}\n    {lines[number - 1].strip()}\n'
    assert told["stackTrace"] == [shown]


@pytest.mark.parametrize("handler", WITHOUT_CODE)
def test_an_injected_error_of_a_handler_without_code_shows_as_its_own_do(one_function: Lambda, handler: str) -> None:
    one_function.write("app.py", SHAPES)
    with (
        one_function.start(f"app.{handler}", layered=False) as bare,
        one_function.start(f"app.{handler}", variables=plan(FAULTS[0])) as faulty,
    ):
        own, injected = bare.invoke({}).json, faulty.invoke({}).json
    assert (injected["errorType"], injected["errorMessage"]) == ("TypeError", "m")
    assert injected["stackTrace"] == own["stackTrace"]
    assert "faultlayer" not in str(injected["stackTrace"])


@pytest.mark.parametrize("handler", ["plain", "decorated", "of_many_lines", "Made", "builtin"])
def test_it_is_so_on_every_python(function: Lambda, handler: str) -> None:
    shape = next((shape for shape in WITH_CODE if shape[0] == handler), None)
    if shape is None:
        test_an_injected_error_of_a_handler_without_code_shows_as_its_own_do(function, handler)
    else:
        test_an_injected_error_shows_in_the_handler_s_first_line(function, shape, FAULTS[0])
