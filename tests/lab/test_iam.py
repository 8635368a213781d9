"""IAM: roles, their policies, and what is refused of documents."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from client import Lab, refused

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


READ = {"Sid": "Read", "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}


@pytest.fixture
def iam(lab: Lab) -> Any:
    return lab.client("iam")


def test_a_role_is_made_read_changed_listed_and_deleted(iam: Any) -> None:
    made = iam.create_role(
        RoleName="r", Path="/team/", AssumeRolePolicyDocument=TRUST, Description="d", Tags=[{"Key": "k", "Value": "v"}]
    )["Role"]
    assert made["Arn"] == "arn:aws:iam::123456789012:role/team/r"
    assert made["RoleId"].startswith("AROA")
    assert len(made["RoleId"]) == 21
    # Documents come percent-encoded; clients undo that.
    assert made["AssumeRolePolicyDocument"] == json.loads(TRUST)
    found = iam.get_role(RoleName="r")["Role"]
    assert {key: found[key] for key in made} == made
    assert (found["MaxSessionDuration"], found["Tags"]) == (3600, [{"Key": "k", "Value": "v"}])
    iam.update_role(RoleName="r", Description="other", MaxSessionDuration=7200)
    assert iam.update_role_description(RoleName="r", Description="third")["Role"]["Description"] == "third"
    assert iam.get_role(RoleName="r")["Role"]["MaxSessionDuration"] == 7200
    trust = json.loads(TRUST)
    trust["Statement"][0]["Principal"] = {"Service": "fis.amazonaws.com"}
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(trust))
    assert iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"] == trust
    iam.create_role(RoleName="s", AssumeRolePolicyDocument=TRUST)
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["r", "s"]
    assert [role["RoleName"] for role in iam.list_roles(PathPrefix="/team/")["Roles"]] == ["r"]
    first = iam.list_roles(MaxItems=1)
    assert first["IsTruncated"]
    assert [role["RoleName"] for role in iam.list_roles(Marker=first["Marker"])["Roles"]] == ["s"]
    iam.delete_role(RoleName="r")
    assert refused(lambda: iam.get_role(RoleName="r")) == ("NoSuchEntity", 404, "The role with name r cannot be found.")


def test_a_role_s_name_is_taken_once_whatever_its_case(iam: Any) -> None:
    iam.create_role(RoleName="Role", AssumeRolePolicyDocument=TRUST)
    code, status, message = refused(lambda: iam.create_role(RoleName="rolE", AssumeRolePolicyDocument=TRUST))
    assert (code, status, message) == ("EntityAlreadyExists", 409, "Role with name rolE already exists.")


def test_tags_of_a_role(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.tag_role(RoleName="r", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    iam.tag_role(RoleName="r", Tags=[{"Key": "a", "Value": "2"}])
    iam.untag_role(RoleName="r", TagKeys=["b", "c"])
    assert iam.list_role_tags(RoleName="r")["Tags"] == [{"Key": "a", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refused(lambda: iam.tag_role(RoleName="r", Tags=many))[:2] == ("LimitExceeded", 409)
    assert iam.list_role_tags(RoleName="r")["Tags"] == [{"Key": "a", "Value": "2"}]


def test_policies_within_a_role_and_the_role_stays_while_it_has_one(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    for name in ("one", "two"):
        iam.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=policy(READ))
    iam.put_role_policy(RoleName="r", PolicyName="two", PolicyDocument=policy({**READ, "Action": ["ssm:*"]}))
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["one", "two"]
    found = iam.get_role_policy(RoleName="r", PolicyName="two")
    assert found["PolicyDocument"]["Statement"][0]["Action"] == ["ssm:*"]
    code, status, message = refused(lambda: iam.delete_role(RoleName="r"))
    assert (code, status, message) == ("DeleteConflict", 409, "Cannot delete entity, must delete policies first.")
    for name in ("one", "two"):
        iam.delete_role_policy(RoleName="r", PolicyName=name)
    gone = ("NoSuchEntity", 404, "The role policy with name one cannot be found.")
    assert refused(lambda: iam.get_role_policy(RoleName="r", PolicyName="one")) == gone
    assert refused(lambda: iam.delete_role_policy(RoleName="r", PolicyName="one")) == gone
    iam.delete_role(RoleName="r")


def test_managed_policies_are_attached_and_hold_role_and_policy(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    arn = iam.create_policy(PolicyName="p", Path="/x/", PolicyDocument=policy(READ), Description="d")["Policy"]["Arn"]
    assert arn == "arn:aws:iam::123456789012:policy/x/p"
    for _ in range(2):
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    assert iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"] == [{"PolicyName": "p", "PolicyArn": arn}]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert document == json.loads(policy(READ))
    assert refused(lambda: iam.delete_role(RoleName="r"))[2] == "Cannot delete entity, must detach all policies first."
    assert refused(lambda: iam.delete_policy(PolicyArn=arn))[0] == "DeleteConflict"
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    assert [one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]] == ["p"]
    assert iam.list_policies(OnlyAttached=True)["Policies"] == []
    iam.delete_policy(PolicyArn=arn)
    code, _, message = refused(lambda: iam.attach_role_policy(RoleName="r", PolicyArn=arn))
    assert (code, message) == ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


MALFORMED = [
    ("{", "Syntax errors in policy."),
    (json.dumps({"Statement": [READ]}), "Policy document must be version 2012-10-17 or greater."),
    (policy({**READ, "Effect": "Permit"}), "Syntax errors in policy."),
    (policy({**READ, "Resouce": "*"}), "Syntax errors in policy."),
    (policy({**READ, "Principal": "*"}), "Policy document should not specify a principal."),
    (policy({**READ, "Resource": []}), "Policy statement must contain resources."),
    (policy({**READ, "Resource": "parameter/a"}), 'Resource parameter/a must be in ARN format or "*".'),
    (policy({**READ, "Action": "GetParameter"}), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    (policy(READ, READ), "Statement IDs (SID) in a single policy must be unique."),
]


@pytest.mark.parametrize(("document", "message"), MALFORMED)
def test_a_malformed_document_is_refused_and_nothing_is_kept(iam: Any, document: str, message: str) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    wanted = ("MalformedPolicyDocument", 400, message)
    assert refused(lambda: iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document)) == wanted
    assert refused(lambda: iam.create_policy(PolicyName="p", PolicyDocument=document)) == wanted
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == []
    assert iam.list_policies()["Policies"] == []


def test_a_malformed_trust_policy_is_refused(iam: Any) -> None:
    create = partial(iam.create_role, RoleName="r")
    trust = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    cases = [
        ({**trust, "Resource": "*"}, "Has prohibited field Resource"),
        ({**trust, "Action": "ssm:GetParameter"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({**trust, "Principal": {"Service": "ssm"}}, 'Invalid principal in policy: "Service":"ssm"'),
    ]
    for statement, message in cases:
        code, _, told = refused(partial(create, AssumeRolePolicyDocument=policy(statement)))
        assert (code, told) == ("MalformedPolicyDocument", message)
    assert iam.list_roles()["Roles"] == []


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"IpAddress": {"aws:SourceArn": "10.0.0.0/8"}}, "condition operator `IpAddress`"),
        ({"StringEquals": {"aws:MultiFactorAuthPresent": "true"}}, "condition key `aws:MultiFactorAuthPresent`"),
        ({"StringLike": {"aws:ResourceTag/a": "${aws:userid}"}}, "condition key `aws:userid`"),
    ],
)
def test_what_the_lab_cannot_judge_is_refused_by_name(iam: Any, condition: dict[str, Any], named: str) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    put = partial(iam.put_role_policy, RoleName="r", PolicyName="p")
    code, _, message = refused(lambda: put(PolicyDocument=policy({**READ, "Condition": condition})))
    assert code == "MalformedPolicyDocument"
    assert named in message


def test_documents_are_bounded_without_their_white_space(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    put = partial(iam.put_role_policy, RoleName="r")
    put(PolicyName="a", PolicyDocument=policy({**READ, "Action": ["ssm:" + "x" * 9000]}) + " " * 5000)
    message = "Maximum policy size of 10240 bytes exceeded for role r"
    large = policy({**READ, "Action": ["ssm:" + "x" * 2000]})
    assert refused(lambda: put(PolicyName="b", PolicyDocument=large)) == ("LimitExceeded", 409, message)
    trust = json.dumps({**json.loads(TRUST), "Id": "x" * 2048})
    refusal = refused(lambda: iam.create_role(RoleName="s", AssumeRolePolicyDocument=trust))
    assert refusal == ("LimitExceeded", 409, "Cannot exceed quota for ACLSizePerRole: 2048")


def test_roles_and_policies_survive_a_kill(labs: list[Lab], tmp_path: Any) -> None:
    lab = Lab(tmp_path)
    labs.append(lab)
    lab.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    lab.client("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy(READ))
    lab.kill()
    again = Lab(tmp_path)
    labs.append(again)
    iam = again.client("iam")
    assert iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == json.loads(policy(READ))
