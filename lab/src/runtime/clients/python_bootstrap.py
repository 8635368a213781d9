"""Starts awslambdaric as the managed Python runtime does: its order of sys.path, its rule for PYTHONPATH."""

import os
import sys

_version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_opt = os.environ.pop("FAULTLAYER_LAB_OPT", "/opt")

if "PYTHONPATH" not in os.environ:
    sys.path.insert(0, os.path.join(_opt, "python"))
    sys.path.insert(0, os.path.join(_opt, "python", "lib", _version, "site-packages"))
    os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])

from awslambdaric.__main__ import main  # noqa: E402

main([sys.argv[0], os.environ["_HANDLER"]])
