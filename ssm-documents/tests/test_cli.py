"""`faultlayer attach`, `change`, `rollback` and `status` against the lab, as a person would type them."""

import json
import os
import signal
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import binary
from labworld import LabWorld
from world import PLAN


def faultlayer(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in {**os.environ, **environment}.items() if value}
    return subprocess.run([str(binary()), *arguments], capture_output=True, text=True, timeout=120, check=False, env=kept)


def layers(lab: LabWorld) -> list[str]:
    given = {"python": lab.layers["PythonLayerX8664"], "node": lab.layers["NodeLayerX8664"]}
    return [part for kind, arn in given.items() for part in ("--layer", f"{kind}-x86_64={arn}")]


def execution_of(said: str) -> str:
    """The id in the first line of what an attach says."""
    return said.splitlines()[0].removeprefix("execution ")


def test_register_attach_status_and_roll_back(lab: LabWorld, tmp_path: Path) -> None:
    first = faultlayer("attach", "--register", "--role", lab.role, *layers(lab))
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines() == [f"Faultlayer-{name}: created" for name in ("Attach", "Rollback", "Experiment", "Change")]
    again = faultlayer("attach", "--register")
    assert {line.split(": ")[1] for line in again.stderr.splitlines()} == {"unchanged"}, again.stderr
    assert faultlayer("status").stdout == "nothing is attached\n"
    name = lab.function()
    before = lab.snapshot(name)
    (tmp_path / "plan.json").write_text(PLAN)
    attached = faultlayer("attach", name, "--plan", str(tmp_path / "plan.json"), "--minutes", "5")
    assert attached.returncode == 0, attached.stderr
    assert "1 function: attaching takes about" in attached.stderr
    assert "Attach     Success" in attached.stderr and attached.stdout == "Faultlayer-Attach: Success\n"
    execution = execution_of(attached.stderr)
    until = json.loads(lab.config(name)["Environment"]["Variables"]["FAULTLAYER_PLAN"])["expires_at"]
    assert attached.stderr.splitlines()[-2].startswith(f"attached until {until} (5 min ")
    assert attached.stderr.splitlines()[-1] == f"roll back with: faultlayer rollback --execution {execution}"
    assert lab.snapshot(name) != before
    for arguments in ([], [name], [lab.config(name)["FunctionArn"]]):
        listed = faultlayer("status", *arguments).stdout
        assert listed.startswith(f"{name}: attached by execution {execution} (`t`) until {until} ("), listed
    told = json.loads(faultlayer("status", name, "--json").stdout)
    assert told["attached"] is True and told["functions"] == [name] and told["until"] == until and told["experiment"] == "t"
    assert faultlayer("status", "another").stdout == "nothing is attached\n"
    shown = json.loads(faultlayer("status", execution, "--json").stdout)
    assert shown["status"] == "Success" and [step["name"] for step in shown["steps"]][:2] == ["Attach", "Done"]
    back = faultlayer("rollback", name)
    assert back.returncode == 0 and "restored 1, unchanged 0" in back.stdout, back.stderr
    assert lab.snapshot(name) == before
    assert faultlayer("status").stdout.startswith("nothing is attached\n")


def test_a_refusal_is_told_with_its_reasons_and_the_exit_status_and_nothing_to_roll_back(lab: LabWorld) -> None:
    lab.register()
    refused = faultlayer("attach", "nobody", "--plan", PLAN)
    assert refused.returncode == 1
    assert "`nobody`: does not exist" in refused.stdout + refused.stderr
    assert "roll back with" not in refused.stderr and "attached until" not in refused.stderr


def test_an_error_names_the_next_step(lab: LabWorld) -> None:
    unknown = faultlayer("attach", "nobody", "--plan", PLAN, "--prefix", "Elsewhere")
    assert unknown.returncode == 2 and "Elsewhere-Attach" in unknown.stderr
    assert "register the documents with `faultlayer attach --register --role ARN" in unknown.stderr
    nowhere = faultlayer("status", AWS_REGION="", AWS_DEFAULT_REGION="")
    assert nowhere.returncode == 2 and "set `AWS_REGION`" in nowhere.stderr, nowhere.stderr
    nobody = faultlayer("status", "61849e91-6816-46d1-8bcd-0123456789ab")
    assert nobody.returncode == 2 and "`faultlayer status` lists the executions" in nobody.stderr
    faultlayer("attach", "--register", *layers(lab))
    rightless = faultlayer("attach", lab.function(), "--plan", PLAN)
    assert rightless.returncode == 1 and "name one with `--role ARN`" in rightless.stdout + rightless.stderr, rightless.stderr


@pytest.mark.parametrize("as_file", [True, False])
def test_a_plan_that_the_engine_refuses_is_refused_before_aws_is_asked(tmp_path: Path, as_file: bool) -> None:
    text = '{"version": 1, "faults": [{"id": "a", "kind": "latency", "rate": 25, "delay_ms": {"uniform": {"min": 9, "max": 1}}}]}'
    (tmp_path / "plan.json").write_text(text)
    plan = str(tmp_path / "plan.json") if as_file else text
    refused = faultlayer("attach", "f", "--plan", plan, AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_REGION="us-east-1")
    assert refused.returncode == 2 and "no answer" not in refused.stderr
    assert [line.split(": expected")[0].strip() for line in refused.stderr.splitlines()[1:]] == [
        "faults[0].rate",
        "faults[0].delay_ms.uniform.max",
    ]


def test_an_end_before_the_end_of_the_hold_is_refused_before_aws_is_asked() -> None:
    soon = (datetime.now(timezone.utc) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    plan = json.dumps({"version": 1, "expires_at": soon, "faults": []})
    refused = faultlayer("attach", "f", "--plan", plan, AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_REGION="us-east-1")
    assert refused.returncode == 2 and "expires_at: expected a time after the end of the hold" in refused.stderr


def test_a_plan_too_long_for_a_parameter_value_leaves_no_parameter_behind(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    faults = [{"id": f"f{at}", "kind": "latency", "rate": 0.1, "delay_ms": 5} for at in range(12)]
    plan = json.dumps({"version": 1, "experiment": "a long one", "faults": faults})
    attached = faultlayer("attach", name, "--plan", plan, "--experiment", "--minutes", "1")
    assert attached.returncode == 0, attached.stdout + attached.stderr
    assert "restored 1" in attached.stdout
    assert [path for path in lab.parameters("/faultlayer") if "/closed/" not in path] == []
    unknown = faultlayer("attach", name, "--plan", plan, "--prefix", "Elsewhere")
    assert unknown.returncode == 2 and lab.parameters("/faultlayer/Elsewhere") == []


def test_a_roll_back_that_restores_nothing_is_an_error(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    typo = faultlayer("rollback", "helo")
    assert typo.returncode == 1 and "helo" in typo.stderr + typo.stdout, typo.stderr
    idle = faultlayer("rollback", name)
    assert idle.returncode == 1 and f"nothing was restored: nothing is attached to {name}" in idle.stderr, idle.stderr
    execution = lab.attach([name])
    assert faultlayer("rollback", "--execution", execution).returncode == 0
    again = faultlayer("rollback", "--execution", execution)
    assert again.returncode == 1 and "nothing was restored" in again.stderr, again.stderr
    every = faultlayer("rollback", "--all")
    assert every.returncode == 0 and "nothing was attached" in every.stderr, every.stderr


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("arn:aws:lambda:{region}:999999999999:function:{name}", "is in account `999999999999`"),
        ("arn:aws-cn:lambda:{region}:{account}:function:{name}", "is in partition `aws-cn`"),
        ("arn:aws:lambda:ap-south-1:{account}:function:{name}", "is in `ap-south-1`"),
        ("999999999999:function:{name}", "is in account `999999999999`"),
        ("arn:aws:lambda:{region}:{account}:function:{name}:live", "names the version or alias `live`"),
        ("arn:aws:s3:::{name}", "expected a function's name or ARN"),
    ],
)
def test_an_arn_of_somewhere_else_is_refused(lab: LabWorld, arn: str, said: str) -> None:
    lab.register()
    name = lab.function()
    before, about = lab.snapshot(name), lab.lab.about
    text = arn.format(name=name, region=about["region"], account=about["account"])
    for arguments in (["attach", text, "--plan", PLAN], ["rollback", text], ["status", text]):
        refused = faultlayer(*arguments)
        assert refused.returncode == 2 and said in refused.stderr, refused.stderr
    assert lab.snapshot(name) == before


def test_an_arn_of_one_s_own_is_the_function_whole_or_from_the_account_on(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    whole = str(lab.config(name)["FunctionArn"])
    attached = faultlayer("attach", whole, "--plan", PLAN)
    assert attached.returncode == 0, attached.stdout + attached.stderr
    back = faultlayer("rollback", whole.split(":", 4)[4])
    assert back.returncode == 0 and "restored 1" in back.stdout, back.stderr


def held(lab: LabWorld, name: str, *more: str) -> tuple[subprocess.Popen[str], str, str]:
    """An experiment that holds in real time: the command, the execution, the line that it says of the hold."""
    lab.lab.post("/settings", {"speed": 1})
    command: Any = [str(binary()), "attach", name, "--plan", PLAN, "--experiment", "--minutes", "10", *more]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    execution = execution_of(running.stderr.readline())
    for line in running.stderr:
        if line.strip().startswith("Hold "):
            return running, execution, line
    raise AssertionError("no hold")


def test_an_interrupted_experiment_says_what_goes_on_and_how_to_end_it(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    before = lab.snapshot(name)
    running, execution, hold = held(lab, name)
    assert "InProgress" in hold and f": {name}" in hold and " left)" in hold, hold
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert f"execution {execution} goes on: faults stay on {name} until 2" in said, said
    assert f"end it with: faultlayer status {execution} --cancel" in said
    assert lab.snapshot(name) != before
    ended = faultlayer("status", execution, "--cancel")
    assert ended.returncode == 1 and "Faultlayer-Experiment: " in ended.stdout, ended.stderr
    lab.quiet()
    assert lab.snapshot(name) == before


def test_an_interruption_cancels_where_that_was_asked_for(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    before = lab.snapshot(name)
    running, _, _ = held(lab, name, "--cancel-on-interrupt")
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1 and "cancelled: what is attached is being taken off" in said, said
    lab.quiet()
    assert lab.snapshot(name) == before


def test_all_that_is_attached_comes_off_and_an_owner_s_change_is_told(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    lab.attach([name])
    lab.fn.update_function_configuration(FunctionName=name, Description="mine")
    back = faultlayer("rollback", "--all")
    assert back.returncode == 0, back.stderr
    assert f"{name}: kept what its owner changed: field Description" in back.stdout


# Another plan than PLAN.
OTHER = PLAN.replace("0.5", "0.75")


def test_another_plan_for_what_is_attached(lab: LabWorld, tmp_path: Path) -> None:
    lab.register()
    names = [lab.function(), lab.function(kind="node")]
    before = [lab.snapshot(name) for name in names]
    execution = execution_of(faultlayer("attach", *names, "--plan", PLAN).stderr)
    # One too long for a parameter's value.
    faults = [{"id": f"f{at}", "kind": "latency", "rate": 0.75, "delay_ms": 5} for at in range(12)]
    (tmp_path / "plan.json").write_text(json.dumps({"version": 1, "faults": faults}))
    changed = faultlayer("change", execution, "--plan", str(tmp_path / "plan.json"))
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert changed.stdout == f"Faultlayer-Change: Success\nchanged 2, unchanged 0\n  changed: {names[0]}, {names[1]}\n"
    for name in names:
        now = json.loads(lab.config(name)["Environment"]["Variables"]["FAULTLAYER_PLAN"])
        assert now["faults"] == faults and now["expires_at"] > now["starts_at"]
    assert lab.parameters("/faultlayer/Faultlayer/once") == []
    lab.fn.delete_function(FunctionName=names[1])
    left = faultlayer("change", execution, "--plan", OTHER)
    assert (
        left.returncode == 1 and f"changed 1, unchanged 0\n  changed: {names[0]}\n  {names[1]}: not changed: does not exist" in left.stdout
    )
    assert faultlayer("rollback", "--execution", execution).returncode == 0
    assert lab.snapshot(names[0]) == before[0]
    nothing = faultlayer("change", execution, "--plan", OTHER)
    assert nothing.returncode == 1 and "has nothing attached" in nothing.stdout + nothing.stderr


def test_a_plan_that_may_not_take_the_others_place_is_refused_before_anything_is_started(lab: LabWorld) -> None:
    lab.register()
    execution = execution_of(faultlayer("attach", lab.function(), "--plan", PLAN, "--minutes", "5").stderr)
    for plan, said in (
        (OTHER.replace("0.75", "25"), "the plan cannot take the place of another:\n  faults[0].rate: "),
        (OTHER.replace("{", '{"expires_at": "2026-01-01T00:00:00Z",', 1), "expires_at: expected a time after now"),
        (OTHER.replace("{", '{"expires_at": "never",', 1), "expires_at: expected a time up to the end of what is attached"),
    ):
        refused = faultlayer("change", execution, "--plan", plan)
        assert refused.returncode == 2 and said in refused.stderr, refused.stderr
    found = lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"]
    assert [one["DocumentName"] for one in found] == ["Faultlayer-Attach"]


def test_a_file_that_functions_read_their_plan_from_is_attached(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    before = lab.snapshot(name)
    attached = faultlayer("attach", name, "--plan-source", "file:/mnt/plan.json")
    assert attached.returncode == 0, attached.stderr
    assert lab.config(name)["Environment"]["Variables"]["FAULTLAYER_PLAN"] == "file:/mnt/plan.json"
    assert faultlayer("rollback", name).returncode == 0
    assert lab.snapshot(name) == before


def test_a_live_plan_is_attached_and_changed_where_functions_read_it(lab: LabWorld) -> None:
    lab.register()
    name = lab.function(Layers=[lab.layer("AWS-Parameters-and-Secrets-Lambda-Extension")])
    bare, source = lab.function(), "/faultlayer/Faultlayer/plan/live"
    first = PLAN.replace("{", '{"expires_at": "2096-01-01T00:00:00Z",', 1)
    lab.ssm.put_parameter(Name=source, Value=first, Type="String")
    refused = faultlayer("attach", bare, "--plan-source", f"parameter:{source}")
    assert refused.returncode == 1 and "through the layer `AWS-Parameters-and-Secrets-Lambda-Extension`" in refused.stdout + refused.stderr
    attached = faultlayer("attach", name, "--plan-source", f"parameter:{source}")
    assert attached.returncode == 0 and "attached until 2096-01-01T00:00:00Z" in attached.stderr, attached.stderr
    execution = execution_of(attached.stderr)
    assert lab.config(name)["Environment"]["Variables"]["FAULTLAYER_PLAN"] == f"parameter:{source}"
    changed = faultlayer("change", execution, "--plan", OTHER)
    assert f"  at `parameter:{source}`, which functions read again by themselves\n" in changed.stdout, changed.stdout + changed.stderr
    assert json.loads(lab.ssm.get_parameter(Name=source)["Parameter"]["Value"])["faults"][0]["rate"] == 0.75
    assert faultlayer("rollback", name).returncode == 0
    assert lab.ssm.get_parameter(Name=source)["Parameter"]["Value"] == first
