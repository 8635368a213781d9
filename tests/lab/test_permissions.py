"""What a role's policies decide: of calls, of who may be the role, of who may hand it on; and what the call log says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from client import Lab, refused, statuses, until
from documents import document, mark, sleep

ACCOUNT = "123456789012"
LAMBDA = f"arn:aws:lambda:eu-central-1:{ACCOUNT}"
SSM = f"arn:aws:ssm:eu-central-1:{ACCOUNT}"
FIS = f"arn:aws:fis:eu-central-1:{ACCOUNT}"
AUTOMATION = f"arn:aws:iam::{ACCOUNT}:role/automation"
Statement = dict[str, Any]


def allow(action: Any, resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> Statement:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def policy(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: Any, **more: Any) -> str:
    return policy({"Sid": "Trust", "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


class Roles:
    """Roles of a lab, and what was decided for them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.iam = lab.client("iam")

    def make(self, name: str, *statements: Statement, by: str | None = None, **tags: str) -> str:
        """A role with one policy of these statements, which anybody of the account may be unless `by` says otherwise."""
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        document = by or trust({"AWS": ACCOUNT})
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, Tags=pairs)
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
        return str(made["Role"]["Arn"])

    def caller(self, *statements: Statement, **tags: str) -> Callable[[str], Any]:
        """Makes clients in the name of a role that may do this."""
        self.make("caller", *statements, **tags)
        return lambda service: self.lab.acting("caller", service)

    def decided(self, operation: str) -> list[Any]:
        """The statements that decided of the latest call of an operation."""
        rows = [row for row in self.lab.ask("GET", "/calls")["calls"] if row["operation"] == operation]
        return list(rows[-1]["statements"])


@pytest.fixture
def roles(lab: Lab) -> Roles:
    return Roles(lab)


def refusal(work: Callable[[], Any]) -> str:
    """The message of a refusal for want of permission."""
    code, _, message = refused(work)
    assert code.startswith("AccessDenied"), (code, message)
    return message


def test_what_no_statement_allows_is_refused_in_aws_s_words_and_has_no_effect(roles: Roles) -> None:
    ssm = roles.caller(allow("ssm:GetParameter"))("ssm")
    message = refusal(lambda: ssm.put_parameter(Name="/a/b", Value="v", Type="String"))
    assert message == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/caller/test is not authorized to perform: ssm:PutParameter on resource: "
        f"{SSM}:parameter/a/b because no identity-based policy allows the ssm:PutParameter action"
    )
    assert roles.decided("PutParameter") == [None]
    assert refused(lambda: ssm.get_parameter(Name="/a/b"))[0] == "ParameterNotFound"
    assert roles.decided("GetParameter") == ["p#1"]


def test_a_denial_stands_before_everything_and_the_log_names_it(roles: Roles) -> None:
    given = [allow("ssm:*", Sid="All"), deny("ssm:Put*", f"{SSM}:parameter/locked/*", Sid="Locked")]
    ssm = roles.caller(*given)("ssm")
    ssm.put_parameter(Name="/open/a", Value="v", Type="String")
    assert roles.decided("PutParameter") == ["All"]
    message = refusal(lambda: ssm.put_parameter(Name="/locked/a", Value="v", Type="String"))
    assert message.endswith("with an explicit deny in an identity-based policy")
    assert roles.decided("PutParameter") == ["Locked"]


PUT = [
    (allow("ssm:PutParameter"), True),
    (allow("SSM:putparameter"), True),
    (allow("ssm:Put*"), True),
    (allow("ssm:P?tParameter"), True),
    (allow("*"), True),
    (allow("lambda:*"), False),
    (allow("ssm:PutParameter", f"{SSM}:parameter/a/*"), True),
    (allow("ssm:PutParameter", [f"{SSM}:parameter/b", f"{SSM}:parameter/a/?"]), True),
    (allow("ssm:PutParameter", f"{SSM}:parameter/b/*"), False),
    (allow("ssm:PutParameter", "arn:aws:ssm:*:*:parameter/*"), True),
    (allow("ssm:PutParameter", "arn:aws:ssm:us-east-1:*:parameter/*"), False),
    ({"Effect": "Allow", "NotAction": "ssm:Get*", "Resource": "*"}, True),
    ({"Effect": "Allow", "NotAction": "ssm:*", "Resource": "*"}, False),
    ({"Effect": "Allow", "Action": "ssm:*", "NotResource": f"{SSM}:parameter/b/*"}, True),
    ({"Effect": "Allow", "Action": "ssm:*", "NotResource": f"{SSM}:parameter/a/*"}, False),
    (allow("ssm:*", f"{SSM}:parameter/${{aws:PrincipalTag/team}}/*"), True),
    (allow("ssm:*", f"{SSM}:parameter/${{aws:PrincipalTag/none}}/*"), False),
    (allow("ssm:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}), True),
    (allow("ssm:*", Condition={"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/caller"}}), True),
    (allow("ssm:*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), False),
    (allow("ssm:*", Condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}), True),
    (allow("ssm:*", Condition={"NumericLessThan": {"aws:EpochTime": 1}}), False),
]


@pytest.mark.parametrize(("statement", "allowed"), PUT, ids=range(len(PUT)))
def test_actions_resources_and_conditions(roles: Roles, statement: Statement, allowed: bool) -> None:
    ssm = roles.caller(statement, team="a")("ssm")
    if allowed:
        ssm.put_parameter(Name="/a/b", Value="v", Type="String")
    else:
        refusal(lambda: ssm.put_parameter(Name="/a/b", Value="v", Type="String"))


def test_every_parameter_of_a_list_must_be_allowed(roles: Roles) -> None:
    ssm = roles.caller(allow("ssm:GetParameter*", f"{SSM}:parameter/a/*", Sid="A"))("ssm")
    ssm.get_parameters(Names=["/a/x", "/a/y"])
    assert roles.decided("GetParameters") == ["A", "A"]
    assert f"{SSM}:parameter/b/x" in refusal(lambda: ssm.get_parameters(Names=["/a/x", "/b/x"]))
    assert f"{SSM}:parameter/b " in refusal(lambda: ssm.get_parameters_by_path(Path="/b"))
    ssm.get_parameters_by_path(Path="/a/deep")


def test_tags_of_a_function_decide_as_they_are_now(roles: Roles, lab: Lab) -> None:
    lab.function("marked", Tags={"Team": "blue"})
    lab.function("bare")
    condition = {"StringEquals": {"aws:ResourceTag/Team": "blue"}}
    fn = roles.caller(allow("lambda:*", f"{LAMBDA}:function:*", Condition=condition))("lambda")
    fn.get_function(FunctionName="marked")
    fn.publish_version(FunctionName="marked")
    fn.get_function(FunctionName="marked", Qualifier="1")
    refusal(lambda: fn.get_function(FunctionName="bare"))
    # What is not there has no tags either: AWS says no before it looks.
    refusal(lambda: fn.get_function(FunctionName="nobody"))
    lab.functions.untag_resource(Resource=f"{LAMBDA}:function:marked", TagKeys=["Team"])
    refusal(lambda: fn.get_function(FunctionName="marked"))
    # Actions without a resource are not allowed by one that names functions.
    refusal(fn.list_functions)


def test_a_version_is_another_resource_than_its_function(roles: Roles, lab: Lab) -> None:
    lab.function("one")
    lab.functions.publish_version(FunctionName="one")
    fn = roles.caller(allow("lambda:DeleteFunction", f"{LAMBDA}:function:*:*", Sid="Versions"))("lambda")
    assert f"{LAMBDA}:function:one because" in refusal(lambda: fn.delete_function(FunctionName="one"))
    fn.delete_function(FunctionName="one", Qualifier="1")
    assert roles.decided("DeleteFunction") == ["Versions"]


def test_tags_are_shown_to_whoever_may_list_them(roles: Roles, lab: Lab) -> None:
    lab.function("one", Tags={"a": "b"})
    fn = roles.caller(allow("lambda:GetFunction"))("lambda")
    found = fn.get_function(FunctionName="one")
    assert "Tags" not in found
    assert found["TagsError"]["ErrorCode"] == "AccessDeniedException"
    assert "lambda:ListTags" in found["TagsError"]["Message"]
    roles.iam.put_role_policy(RoleName="caller", PolicyName="q", PolicyDocument=policy(allow("lambda:ListTags")))
    assert fn.get_function(FunctionName="one")["Tags"] == {"a": "b"}


def test_the_whole_list_of_layers_is_judged_and_each_must_be_readable(roles: Roles, lab: Lab) -> None:
    lab.function("one")
    ours, own = lab.layer("ours"), lab.layer("own")
    only = {"ForAllValues:StringLike": {"lambda:Layer": [f"{LAMBDA}:layer:ours:*"]}}
    fn = roles.caller(
        allow("lambda:UpdateFunctionConfiguration", Condition=only, Sid="Update"),
        allow("lambda:GetLayerVersion", f"{LAMBDA}:layer:ours:*", Sid="Ours"),
    )("lambda")
    fn.update_function_configuration(FunctionName="one", Layers=[ours])
    assert roles.decided("UpdateFunctionConfiguration") == ["Update", "Ours"]
    lab.settled("one")
    refusal(lambda: fn.update_function_configuration(FunctionName="one", Layers=[ours, own]))
    # Without a list there is nothing to judge, and nothing to read.
    fn.update_function_configuration(FunctionName="one", Timeout=9)
    lab.settled("one")
    roles.iam.put_role_policy(
        RoleName="caller", PolicyName="p", PolicyDocument=policy(allow("lambda:UpdateFunctionConfiguration"))
    )
    message = refusal(lambda: fn.update_function_configuration(FunctionName="one", Layers=[own]))
    assert f"lambda:GetLayerVersion on resource: {own}" in message
    lab.functions.get_layer_version(LayerName="own", VersionNumber=1)
    assert f"on resource: {own}" in refusal(lambda: fn.get_layer_version(LayerName="own", VersionNumber=1))


def test_managed_policies_count_as_well(roles: Roles) -> None:
    ssm = roles.caller()("ssm")
    arn = roles.iam.create_policy(PolicyName="m", PolicyDocument=policy(allow("ssm:GetParameter")))["Policy"]["Arn"]
    refusal(lambda: ssm.get_parameter(Name="a"))
    roles.iam.attach_role_policy(RoleName="caller", PolicyArn=arn)
    assert refused(lambda: ssm.get_parameter(Name="a"))[0] == "ParameterNotFound"
    assert roles.decided("GetParameter") == ["m#1"]


def test_who_one_is_needs_no_permission_and_the_account_s_own_user_needs_none_at_all(roles: Roles, lab: Lab) -> None:
    assert roles.caller()("sts").get_caller_identity()["Arn"].endswith(":assumed-role/caller/test")
    lab.ssm.put_parameter(Name="a", Value="v", Type="String")
    assert roles.decided("PutParameter") == [None]


def test_a_role_that_iam_does_not_know_may_do_everything_unless_permissions_are_enforced(roles: Roles, lab: Lab) -> None:
    ssm = lab.acting("nobody", "ssm")
    ssm.put_parameter(Name="a", Value="v", Type="String")
    assert roles.decided("PutParameter") == [None]
    lab.settings(permissions="enforced")
    refusal(lambda: ssm.get_parameter(Name="a"))
    assert "because no role trust policy allows" in refusal(lambda: lab.acting("nobody", "ssm"))
    with pytest.raises(Exception, match="400"):
        lab.settings(permissions="sometimes")


def test_sessions_of_a_deleted_role_may_do_nothing(roles: Roles) -> None:
    ssm = roles.caller(allow("ssm:*"))("ssm")
    ssm.describe_parameters()
    roles.iam.delete_role_policy(RoleName="caller", PolicyName="p")
    roles.iam.delete_role(RoleName="caller")
    refusal(ssm.describe_parameters)


def test_sessions_outlive_a_kill_of_the_lab(labs: list[Lab], tmp_path: Any) -> None:
    lab = Lab(tmp_path)
    labs.append(lab)
    Roles(lab).make("caller", allow("ssm:DescribeParameters"))
    keys = lab.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/caller", RoleSessionName="session")["Credentials"]
    lab.kill()
    again = Lab(tmp_path)
    labs.append(again)
    ssm = again.made("ssm", keys)
    ssm.describe_parameters()
    refusal(lambda: ssm.get_parameter(Name="a"))


def test_a_trust_policy_says_who_may_be_a_role(roles: Roles, lab: Lab) -> None:
    roles.make("for-ssm", by=trust({"Service": "ssm.amazonaws.com"}))
    message = refusal(lambda: lab.acting("for-ssm", "ssm"))
    assert message.endswith("because no role trust policy allows the sts:AssumeRole action")
    # A whole account is trusted: its roles need the right themselves. One that is named needs none.
    sts = roles.caller()("sts")
    other = roles.make("other")
    refusal(lambda: sts.assume_role(RoleArn=other, RoleSessionName="session"))
    roles.iam.update_assume_role_policy(RoleName="other", PolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/caller"}))
    sts.assume_role(RoleArn=other, RoleSessionName="session")
    assert roles.decided("AssumeRole") == ["Trust"]


# --- Automation


def register(lab: Lab) -> None:
    body = document(mark("mark", "/made"), sleep("hold", "PT1S", isEnd=True))
    lab.ssm.create_document(Name="Document", DocumentType="Automation", DocumentFormat="JSON", Content=json.dumps(body))


def source(kind: str, account: str = ACCOUNT) -> dict[str, Any]:
    return {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": f"arn:aws:*:*:{ACCOUNT}:{kind}/*"}}


def test_an_execution_does_what_the_policies_of_its_role_allow(roles: Roles, lab: Lab) -> None:
    service = {"Service": "ssm.amazonaws.com"}
    mark_it = allow("ssm:PutParameter", f"{SSM}:parameter/made", Sid="Mark")
    roles.make("automation", mark_it, by=trust(service, Condition=source("automation-execution")))
    register(lab)
    done = lab.ended(lab.start())
    assert done["AutomationExecutionStatus"] == "Success"
    assert roles.decided("AssumeRole") == ["Trust"]
    assert roles.decided("PutParameter") == ["Mark"]
    roles.iam.put_role_policy(RoleName="automation", PolicyName="p", PolicyDocument=policy(allow("ssm:GetParameter")))
    done = lab.ended(lab.start())
    assert statuses(done)["mark"] == "Failed"
    assert "is not authorized to perform: ssm:PutParameter" in done["FailureMessage"]


@pytest.mark.parametrize(
    "by",
    [
        trust({"Service": "fis.amazonaws.com"}),
        trust({"Service": "ssm.amazonaws.com"}, Condition=source("experiment")),
        trust({"Service": "ssm.amazonaws.com"}, Condition=source("automation-execution", "210987654321")),
    ],
    ids=["another service", "another source", "another account"],
)
def test_an_execution_begins_only_where_systems_manager_is_trusted(roles: Roles, lab: Lab, by: str) -> None:
    roles.make("automation", allow("ssm:*"), by=by)
    register(lab)
    wanted = ("InvalidAutomationExecutionParametersException", 400, "The defined assume role is unable to be assumed.")
    assert refused(lab.start) == wanted
    assert lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"] == []


START = [
    f"{SSM}:document/Document",
    f"{SSM}:automation-definition/Document:$DEFAULT",
    f"{SSM}:automation-execution/*",
]


def pass_role(service: str) -> Statement:
    return allow("iam:PassRole", AUTOMATION, Condition={"StringEquals": {"iam:PassedToService": service}}, Sid="Pass")


def test_starting_an_execution_needs_three_resources_and_the_right_to_hand_on_its_role(roles: Roles, lab: Lab) -> None:
    register(lab)
    every = [
        *(allow("ssm:StartAutomationExecution", arn, Sid=f"S{at}") for at, arn in enumerate(START)),
        pass_role("ssm.amazonaws.com"),
    ]
    ssm = roles.caller(*every)("ssm")
    ssm.start_automation_execution(DocumentName="Document")
    assert roles.decided("StartAutomationExecution") == ["S0", "S1", "S2", "Pass"]
    for missing in range(4):
        rest = policy(*every[:missing], *every[missing + 1 :])
        roles.iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=rest)
        assert (START[missing] if missing < 3 else AUTOMATION) in refusal(
            lambda: ssm.start_automation_execution(DocumentName="Document")
        )
    wrong = policy(*every[:3], pass_role("fis.amazonaws.com"))
    roles.iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=wrong)
    assert "iam:PassRole" in refusal(lambda: ssm.start_automation_execution(DocumentName="Document"))
    # Another role of the caller's choice is another one to hand on.
    roles.iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=policy(*every))
    other = {"AutomationAssumeRole": [f"arn:aws:iam::{ACCOUNT}:role/admin"]}
    assert ":role/admin" in refusal(lambda: ssm.start_automation_execution(DocumentName="Document", Parameters=other))


# --- FIS

EXPERIMENT = f"arn:aws:iam::{ACCOUNT}:role/experiment"


def template(fis: Any, **more: Any) -> str:
    actions = {"wait": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}}}
    given = {"clientToken": "t", "description": "d", "stopConditions": [{"source": "none"}], "roleArn": EXPERIMENT}
    return str(fis.create_experiment_template(**given, actions=actions, **more)["experimentTemplate"]["id"])


def ended(lab: Lab, identity: str) -> Any:
    fis = lab.client("fis")
    started = fis.start_experiment(experimentTemplateId=identity)["experiment"]["id"]
    return until(lambda: fis.get_experiment(id=started)["experiment"], lambda found: "endTime" in found)


def test_a_template_is_made_by_whoever_may_hand_on_its_role(roles: Roles) -> None:
    create = allow("fis:CreateExperimentTemplate", [f"{FIS}:experiment-template/*", f"{FIS}:action/aws:fis:wait"])
    fis = roles.caller(create)("fis")
    assert "iam:PassRole" in refusal(lambda: template(fis))
    hand_on = allow("iam:PassRole", EXPERIMENT, Condition={"StringEquals": {"iam:PassedToService": "fis.amazonaws.com"}})
    roles.iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=policy(create, hand_on))
    template(fis)


def test_an_experiment_begins_only_where_fis_is_trusted(roles: Roles, lab: Lab) -> None:
    roles.make("experiment", by=trust({"Service": "fis.amazonaws.com"}, Condition=source("experiment")))
    made = template(lab.client("fis"))
    assert ended(lab, made)["state"]["status"] == "completed"
    roles.iam.update_assume_role_policy(
        RoleName="experiment",
        PolicyDocument=trust({"Service": "fis.amazonaws.com"}, Condition=source("automation-execution")),
    )
    found = ended(lab, made)
    assert found["state"]["status"] == "failed"
    assert f"Unable to assume the experiment role {EXPERIMENT}" in found["state"]["reason"]
    assert found["actions"]["wait"]["state"]["status"] == "cancelled"


def test_an_experiment_with_a_log_needs_the_four_rights_of_its_delivery(roles: Roles, lab: Lab) -> None:
    actions = [
        f"logs:{name}" for name in ("CreateLogDelivery", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups")
    ]
    roles.make("experiment", allow(actions, Sid="Deliver"), by=trust({"Service": "fis.amazonaws.com"}))
    lab.client("logs").create_log_group(logGroupName="g")
    group = {"logGroupArn": f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:g:*"}
    made = template(lab.client("fis"), logConfiguration={"logSchemaVersion": 2, "cloudWatchLogsConfiguration": group})
    assert ended(lab, made)["state"]["status"] == "completed"
    assert roles.decided("CreateLogDelivery") == ["Deliver"]
    for missing in actions:
        rest = policy(allow([action for action in actions if action != missing]))
        roles.iam.put_role_policy(RoleName="experiment", PolicyName="p", PolicyDocument=rest)
        found = ended(lab, made)
        assert found["state"]["status"] == "failed"
        assert f"is not authorized to perform: {missing} on resource: " in found["state"]["reason"]
