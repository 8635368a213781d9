"""AWS's command line, loaded once: every command is a fork of a process that has it loaded, and has read the services'
models, which takes a tenth of a start. What runs is the installed `aws`'s own code. Elsewhere than on Linux a command is a
start, as ever.

    python commandline.py SOCKET    serves commands there
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

# Those whose commands the tests type most.
SERVICES = ("cloudformation", "fis", "lambda", "ssm")

# What `aws` is: hands its own streams, arguments, folder and environment over, and ends as the command does.
STUB = """#!{python} -SE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({path!r})
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
server.sendall(asked)
ended = server.recv(1)
sys.exit(ended[0] if ended else 1)
"""


@functools.cache
def aws() -> Path:
    """The command, whose name is `aws`."""
    installed = Path(sys.executable).with_name("aws")
    if not sys.platform.startswith("linux"):
        return installed
    folder = Path(tempfile.mkdtemp(prefix="faultlayer-aws-"))
    atexit.register(shutil.rmtree, folder)
    path = str(folder / "socket")
    # It ends with this process, whose end of its input it then loses.
    server = subprocess.Popen([sys.executable, __file__, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n", "AWS's command line cannot be loaded"
    stub = folder / "aws"
    stub.write_text(STUB.format(python=os.path.realpath(sys.executable), path=path))
    stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
    return stub


def load() -> None:
    """What this imports and reads stays; a command makes a session of its own, since that reads its environment."""
    from awscli.clidriver import botocore, create_clidriver

    session = create_clidriver().session
    session.get_available_services()
    for service in SERVICES:
        session.get_service_model(service)
        session.get_paginator_model(service)
        session.create_client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    models = session.get_component("data_loader")
    botocore.session.create_loader = lambda _path=None: models
    # A fork that looks for garbage among all that copies it, page by page.
    gc.collect()
    gc.freeze()


def serve(path: str) -> NoReturn:
    load()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    # Nobody waits for a fork.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while listener.fileno() in select.select([listener.fileno(), 0], [], [])[0]:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            attend(client)
        client.close()
    sys.exit()


def attend(client: socket.socket) -> NoReturn:
    """Runs one command, and ends it where whoever has typed it is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(client, 8, 3)
    asked = client.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
    command = os.fork()
    if command == 0:
        client.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        run(*json.loads(asked))
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(command)
    readable, _, _ = select.select([ended, client.fileno()], [], [])
    if ended not in readable:
        os.kill(command, signal.SIGKILL)
    _, status = os.waitpid(command, 0)
    client.send(bytes([os.waitstatus_to_exitcode(status) & 0xFF]))
    os._exit(0)


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> NoReturn:
    """As `aws` does it."""
    import awscli.clidriver

    os.chdir(folder)
    # Set where it is imported, and read at each command.
    data = os.environ["AWS_DATA_PATH"]
    os.environ.clear()
    os.environ.update(environment, AWS_DATA_PATH=data)
    sys.argv[1:] = arguments
    status = 255
    try:
        status = awscli.clidriver.main()
    except SystemExit as exit:
        status = exit.code if isinstance(exit.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
