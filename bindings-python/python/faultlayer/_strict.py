"""What a library is strict about in a plan, beyond what the engine judges: that the classes of errors are there."""

from __future__ import annotations

import json

from ._errors import unknown_type
from ._native import FaultInjected, Host, class_of
from ._plan import PlanLike, to_json
from ._records import void


def checked(plan: PlanLike, *, import_classes: bool) -> str:
    """The plan's JSON text. Raises `PlanError` where it does not hold, or where a class of errors is not there.

    Without `import_classes` only built-in names are looked up now, and the others once they are raised: where functions
    are decorated, the modules that hold the classes may still be on their way.
    """
    text = to_json(plan)
    Host(text, void)
    for index, fault in enumerate(json.loads(text)["faults"]):
        named = fault.get("type")
        name = named.get("python") if isinstance(named, dict) else named
        if name is None or name == FaultInjected.__name__ or ("." in name and not import_classes):
            continue
        if class_of(name) is None:
            raise unknown_type(name, f"faults[{index}].type{'.python' if isinstance(named, dict) else ''}")
    return text
