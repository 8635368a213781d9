"""Step `Confirm` of Faultlayer-Rollback: fails where functions are left, after the report has become an output."""

from typing import Any

from faultlayer_documents.aws import counted


class NotRestored(Exception):
    """The text names every function that could not be restored."""


def confirm(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. Raises NotRestored, naming them, if functions are left."""
    left = int(events["Left"])
    if left:
        raise NotRestored(f"not restored: {counted(left, 'function')}: {events['Names']}; see the report: {events['Report']}"[:4000])
    return {}
