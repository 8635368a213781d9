"""Templates of stacks, and stacks as tests look at them."""

from __future__ import annotations

import json
from typing import Any

from client import Lab, until

TYPE = {"Type": "AWS::SSM::Parameter"}


def parameter(value: Any = "v", **more: Any) -> dict[str, Any]:
    """A resource; `more` are attributes of it, `Name` and such its properties."""
    own = {key: more.pop(key) for key in list(more) if key in {"Name", "Description", "Tags", "Nope"}}
    return {**TYPE, "Properties": {"Type": "String", "Value": value, **own}, **more}


def template(resources: dict[str, Any], **sections: Any) -> str:
    return json.dumps({"Resources": resources, **sections})


def create(lab: Lab, body: str, name: str = "one", **more: Any) -> str:
    """Create a stack; its id."""
    return str(lab.client("cloudformation").create_stack(StackName=name, TemplateBody=body, **more)["StackId"])


def created(lab: Lab, body: str, name: str = "one", **more: Any) -> Any:
    create(lab, body, name, **more)
    return settled(lab, name, "CREATE_COMPLETE")


def updated(lab: Lab, body: str, status: str = "UPDATE_COMPLETE", name: str = "one", **more: Any) -> Any:
    lab.client("cloudformation").update_stack(StackName=name, TemplateBody=body, **more)
    return settled(lab, name, status)


def deleted(lab: Lab, name: str = "one", status: str = "DELETE_COMPLETE") -> Any:
    stack = str(stack_of(lab, name)["StackId"])
    lab.client("cloudformation").delete_stack(StackName=name)
    return settled(lab, stack, status)


def stack_of(lab: Lab, name: str = "one") -> Any:
    return lab.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def settled(lab: Lab, name: str = "one", status: str | None = None) -> Any:
    """A stack that nobody works on any more."""
    view = until(lambda: stack_of(lab, name), lambda view: not view["StackStatus"].endswith("_IN_PROGRESS"))
    assert status in (None, view["StackStatus"]), (view, events(lab, name))
    return view


def events(lab: Lab, name: str = "one") -> list[tuple[str, str, str | None]]:
    """What became of a stack and its resources, the oldest first."""
    pages = lab.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=name)
    rows = [row for page in pages for row in page["StackEvents"]]
    return [(row["LogicalResourceId"], row["ResourceStatus"], row.get("ResourceStatusReason")) for row in reversed(rows)]


def resources(lab: Lab, name: str = "one") -> dict[str, tuple[str, str]]:
    """The physical id and the status of each resource."""
    rows = lab.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    return {row["LogicalResourceId"]: (row.get("PhysicalResourceId", ""), row["ResourceStatus"]) for row in rows}


def outputs(view: Any) -> dict[str, str]:
    return {row["OutputKey"]: row["OutputValue"] for row in view.get("Outputs", [])}


def values(lab: Lab) -> dict[str, str]:
    """Every parameter of the lab and its value."""
    pages = lab.ssm.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True)
    return {row["Name"]: row["Value"] for page in pages for row in page["Parameters"]}
