"""Finds the original handler where there is no native module to do it, or no runtime client to ask.

Owns a port of the client's own way from `FAULTLAYER_HANDLER` to a callable, error types and messages included, and the
errors' shape. Does not run at all in a healthy layer under awslambdaric: there the native module asks the client.
"""

import importlib
import os
import sys

OWN = "faultlayer_layer.handler"


class FaultException(Exception):
    """What the client's exception of this name is: a type, a message and a ready stack."""

    def __init__(self, exception_type, msg, trace=None):
        super().__init__(msg)
        self.exception_type = exception_type
        self.msg = msg
        self.trace = trace


def resolve(original):
    """The original handler, by the live client's resolver or the port of it; raises the init error it would raise."""
    client = find_client()
    fault = getattr(client, "FaultException", FaultException)
    if not original or original == OWN:
        error = fault("Runtime.HandlerNotFound", missing(original), None)
        error.args = (error.msg,)
        raise error
    # An agent that looks at the handler before the client does must not lead the client past us.
    if client and os.environ.get("_HANDLER") == OWN:
        os.environ["_HANDLER"] = original
    try:
        return client._get_handler(original) if client else get_handler(original)
    except fault:
        raise
    except Exception as error:
        if client is None:
            raise
        # Our own frames would stand in the answer, and an AttributeError would be taken for a missing handler.
        value = error.with_traceback(error.__traceback__.tb_next)
        told = client.build_fault_result((type(value), value, value.__traceback__), None)
        raise fault(told["errorType"], told["errorMessage"], told["stackTrace"]) from None


def missing(original):
    """What an unusable FAULTLAYER_HANDLER is told."""
    found = f", got `{original}`" if original else ""
    return (
        "FAULTLAYER_HANDLER: expected the function's original handler, as in `app.handler`, because the "
        f"function's handler is `{OWN}`{found}"
    )


def find_client():
    """The module of the running runtime client, or None."""
    for name in ("awslambdaric.bootstrap", "bootstrap", "__main__"):
        module = sys.modules.get(name)
        if callable(getattr(module, "_get_handler", None)):
            return module
    return None


def get_handler(handler):
    """As the client resolves: the last dot parts module and attribute, slashes are dots."""
    try:
        modname, fname = handler.rsplit(".", 1)
    except ValueError as error:
        raise FaultException("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}") from None
    try:
        if modname.split(".")[0] in sys.builtin_module_names:
            raise FaultException(
                "Runtime.BuiltInModuleConflict", f"Cannot use built-in module {modname} as a handler module"
            )
        module = importlib.import_module(modname.replace("/", "."))
    except ImportError as error:
        raise FaultException("Runtime.ImportModuleError", f"Unable to import module '{modname}': {error}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise FaultException(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{modname}': {error}", trace
        ) from None
    try:
        return getattr(module, fname)
    except AttributeError:
        raise FaultException(
            "Runtime.HandlerNotFound", f"Handler '{fname}' missing on module '{modname}'", None
        ) from None
