"""Step `Attach`: checks, claims every function, waits until each update is done, reads again and compares."""

import time
from typing import Any

from faultlayer_documents.aws import Aws, brief, counted, settled
from faultlayer_documents.change import Options, attach_change, is_attached, layer_for, layers_of
from faultlayer_documents.check import check
from faultlayer_documents.marker import RESTORE, variables
from faultlayer_documents.refuse import claim_reasons, room_reasons
from faultlayer_documents.store import execution_of, stack_of
from faultlayer_documents.writes import CLAIM_PATIENCE_S, NotWritten, Writes


class NotAttached(Exception):
    """The text names every function that could not be attached."""


class Attacher(Writes):
    """Attaches one function at a time; shared by the workers."""

    def __call__(self, name: str) -> None:
        try:
            config = self.claim(name)
            if name in self.options.aliases:
                self.repoint(name, self.publish(name, config), self.options.aliases[name])
        except Exception:
            # The others must not go on: all that is attached comes off again.
            self.aws.stop.set()
            raise

    def claim(self, name: str) -> dict[str, Any]:
        """One update under the revision read. Answers the verified configuration."""
        ends, change, alias = time.monotonic() + CLAIM_PATIENCE_S, None, self.options.aliases.get(name)
        while True:
            config = settled(self.aws, name)
            if variables(config).get(RESTORE, "").startswith(f"1,{self.options.execution},"):
                return self.verified(config, change)
            if change and config.get("LastUpdateStatus") == "Failed":
                raise NotWritten(f"its update failed: {config.get('LastUpdateStatusReason')}")
            # Its owner may have changed it since the check; what can be told from the configuration is asked again.
            reasons = claim_reasons(config) or room_reasons(config, self.options, alias)
            if alias and config.get("CodeSha256", "") != self.entries[name]["c"]:
                reasons.append("its code was changed since the check")
            if reasons:
                raise NotWritten("; ".join(reasons))
            change, _ = attach_change(config, self.options, alias)
            self.go_on(name)
            if not self.aws.write("update_function_configuration", config, FunctionName=name, **change):
                self.wait(ends)

    def verified(self, config: dict[str, Any], change: dict[str, Any] | None) -> dict[str, Any]:
        """The configuration, if all of it is there. Of what attach set; and the update is done.

        `change` is None for a function that an earlier try of this step claimed: then the layer says that it was."""
        if config.get("LastUpdateStatus", "Successful") != "Successful" or config.get("State") == "Failed":
            status = config.get("LastUpdateStatusReason") or config.get("LastUpdateStatus")
            raise NotWritten(f"its update did not become active: {status}")
        if not (is_attached(config, change) if change else layer_for(config, self.options) in layers_of(config)):
            raise NotWritten("was changed by somebody else while it was attached")
        return config


def attach(aws: Aws, stack: str, options: Options, entries: dict[str, dict[str, Any]]) -> None:
    """Raises, naming what is not attached. What is attached the roll-back takes off."""
    began = execution_of(aws, options.execution)["ExecutionStartTime"].timestamp()
    started = time.monotonic()
    results = aws.each(Attacher(aws, stack, began, options, entries), entries)
    failed = {name: brief(result) for name, result in results.items() if isinstance(result, Exception)}
    if failed:
        # What failed of itself first; those that only stopped because of it last.
        lines = sorted((f"`{name}`: {reason}" for name, reason in failed.items()), key=lambda line: "not tried" in line)
        print("\n".join(lines))
        raise NotAttached(f"not attached: {len(failed)} of {counted(len(entries), 'function')}: " + "; ".join(lines))
    print(f"{counted(len(entries), 'function')} attached in {time.monotonic() - started:.1f} s")


def check_and_attach(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. One, so that nothing has to travel from the check to the attaching, where somebody could change it."""
    aws = Aws()
    outputs, options, entries = check(aws, events)
    attach(aws, stack_of(events), options, entries)
    return outputs
