"""Runs the scripts of steps as Automation does: a handler gets its events and a context; what it returns is the payload.

Each line of standard input orders one: its folder, where `order.json` stands and `outcome.json` and a log will, and its
environment. It is a process of its own, forked from this one, which has imported what nearly every script imports. Each line
of standard output says that a folder's script began (`pid`) or ended (`status`, of a signal below zero).
"""

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import sys
import threading
import traceback
from typing import Any, NoReturn


# What Faultlayer's own scripts call.
SERVICES = ("lambda", "ssm", "resourcegroupstaggingapi")


def prepare() -> None:
    """Import, and read of the services' models, what takes longer than most scripts run.

    What is there then is nobody's garbage, and its pages stay shared. Nothing of an order's environment is known here: of a
    session, keys and region are asked for where a client is made.
    """
    gc.disable()
    import boto3
    import botocore.session

    # The user's settings for AWS are no script's. Not before Python started: boto3 may be in the user's own packages.
    os.environ["HOME"] = "/nonexistent"
    session = botocore.session.get_session()
    for service in SERVICES:
        session.create_client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    boto3.setup_default_session(botocore_session=session)
    gc.freeze()


def serve() -> dict[str, Any] | None:
    """Fork a process for each order; in that process its order, at the end of all orders nothing."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    folders: dict[int, str] = {}
    text = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            for pid in list(folders):
                gone, status = os.waitpid(pid, os.WNOHANG)
                if gone:
                    say(folder=folders.pop(pid), status=os.waitstatus_to_exitcode(status))
        if 0 in ready:
            more = os.read(0, 65536)
            if not more:
                return None
            *lines, text = (text + more).split(b"\n")
            for order in map(json.loads, lines):
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(woken)
                    os.close(waker)
                    return dict(order)
                # Both set it, so that it is there for whoever comes first; of one that has ended nobody needs it.
                with contextlib.suppress(OSError):
                    os.setpgid(pid, pid)
                folders[pid] = order["folder"]
                say(folder=order["folder"], pid=pid)


def say(**what: Any) -> None:
    """Tell the lab."""
    os.write(1, json.dumps(what).encode() + b"\n")


def become(order: dict[str, Any]) -> None:
    """Be a process as if it had been started for this order alone."""
    os.setpgid(0, 0)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for mine, standard in ((null, 0), (log, 1), (log, 2)):
        os.dup2(mine, standard)
    os.close(log)
    os.close(null)
    gc.enable()


def run() -> int:
    """Run the script of `order.json`, write what came of it to `outcome.json`."""
    with open("order.json", encoding="utf-8") as file:
        order = json.load(file)
    names = {"__name__": "script", "__builtins__": __builtins__}
    try:
        exec(compile(order["script"], "script", "exec"), names)
        result = names[order["handler"]](order["events"], order["context"])
        outcome = {"payload": json.loads(json.dumps(result))}
    except BaseException as error:
        frames = traceback.format_tb(error.__traceback__)[1:]
        outcome = {"error": f"{''.join(frames)}{type(error).__name__} - {error}"}
    with open("outcome.json.new", "w", encoding="utf-8") as file:
        json.dump(outcome, file)
    os.rename("outcome.json.new", "outcome.json")
    return 0 if "payload" in outcome else 1


def end(status: int) -> NoReturn:
    """End as a fork of `multiprocessing` does: its threads and what it has asked for at the end, and no clearing of what is
    shared, which would copy all of its pages."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)


prepare()
order = serve()
if order is not None:
    become(order)
    end(run())
