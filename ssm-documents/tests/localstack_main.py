"""Runs LocalStack's community core without Docker: its functions become active and are never invoked.

Run by LocalStack's own interpreter; nothing else of it is changed.
"""

import sys

from localstack.runtime.main import main
from localstack.services.lambda_.invocation import runtime_executor


class Nothing(runtime_executor.RuntimeExecutor):
    """An execution environment that is never started."""

    def start(self, env_vars):
        raise NotImplementedError

    stop = get_address = get_endpoint_from_executor = get_runtime_endpoint = get_logs = lambda self: None
    invoke = start

    @classmethod
    def prepare_version(cls, function_version):
        pass

    cleanup_version = prepare_version


runtime_executor.get_runtime_executor = lambda: Nothing
sys.exit(main())
