# `faultlayer_layer.handler` is what Lambda calls. Small on purpose: Lambda cannot cache its bytecode, so each line here
# is compiled at each cold start. Everything is in the native module; without it the original handler runs as it is.
try:
    from ._native import layer_getattr as __getattr__
except Exception:
    from ._fallback import __getattr__  # noqa: F401
