"""Runs a step's script as Automation does: the handler gets its events and a context; what it returns is the payload."""

import gc
import json
import sys
import traceback


def prepare() -> None:
    """Import what nearly every script imports, without a look at the garbage that imports do not leave: a fifth of their time."""
    gc.disable()
    try:
        import boto3  # noqa: F401
    except ImportError:
        pass  # The script's own import says so, in its own frame.
    gc.freeze()
    gc.enable()


def main() -> int:
    """Read the order from the first argument, write the outcome to the second."""
    with open(sys.argv[1], encoding="utf-8") as file:
        order = json.load(file)
    # Not found by name: a script that imports this file's name gets its own module.
    names = {"__name__": "script", "__builtins__": __builtins__}
    prepare()
    try:
        exec(compile(order["script"], "script", "exec"), names)
        result = names[order["handler"]](order["events"], order["context"])
        outcome = {"payload": json.loads(json.dumps(result))}
    except BaseException as error:
        frames = traceback.format_tb(error.__traceback__)[1:]
        outcome = {"error": f"{''.join(frames)}{type(error).__name__} - {error}"}
    with open(sys.argv[2] + ".new", "w", encoding="utf-8") as file:
        json.dump(outcome, file)
    import os

    os.rename(sys.argv[2] + ".new", sys.argv[2])
    return 0 if "payload" in outcome else 1


sys.exit(main())
