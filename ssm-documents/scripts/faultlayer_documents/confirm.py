"""Step `Confirm` of Faultlayer-Rollback and -Change: fails where functions are left, after the report has become an output."""

from typing import Any

from faultlayer_documents.aws import counted


class NotRestored(Exception):
    """The text names every function that could not be restored."""


class NotChanged(Exception):
    """The text says why no plan was changed, or names every function whose plan was not."""


def left_in(events: dict[str, Any], what: str) -> str:
    """What is left, in one line; nothing for nothing."""
    left = int(events["Left"])
    return f"not {what}: {counted(left, 'function')}: {events['Names']}; see the report: {events['Report']}"[:4000] if left else ""


def confirm(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. Raises NotRestored, naming them, if functions are left."""
    if left := left_in(events, "restored"):
        raise NotRestored(left)
    return {}


def confirm_change(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. Raises NotChanged, naming them, if functions are left."""
    if left := left_in(events, "changed"):
        raise NotChanged(left)
    return {}
