"""`faultlayer attach`, `rollback` and `status` against the lab, as a person would type them."""

import json
import subprocess
from pathlib import Path

from conftest import binary
from labworld import LabWorld
from world import PLAN


def faultlayer(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(binary()), *arguments], capture_output=True, text=True, timeout=120, check=False)


def layers(lab: LabWorld) -> list[str]:
    given = {"python": lab.layers["PythonLayerX8664"], "node": lab.layers["NodeLayerX8664"]}
    return [part for kind, arn in given.items() for part in ("--layer", f"{kind}-x86_64={arn}")]


def test_register_attach_status_and_roll_back(lab: LabWorld, tmp_path: Path) -> None:
    first = faultlayer("attach", "--register", "--role", lab.role, *layers(lab))
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines() == [f"Faultlayer-{name}: created" for name in ("Attach", "Rollback", "Experiment")]
    again = faultlayer("attach", "--register")
    assert {line.split(": ")[1] for line in again.stderr.splitlines()} == {"unchanged"}, again.stderr
    name = lab.function()
    before = lab.snapshot(name)
    (tmp_path / "plan.json").write_text(PLAN)
    attached = faultlayer("attach", name, "--plan", str(tmp_path / "plan.json"), "--minutes", "5")
    assert attached.returncode == 0, attached.stderr
    assert "1 function: attaching takes about" in attached.stderr
    assert "Attach     Success" in attached.stderr and attached.stdout == "Faultlayer-Attach: Success\n"
    execution = attached.stderr.splitlines()[0].removeprefix("execution ")
    assert lab.snapshot(name) != before
    listed = faultlayer("status")
    assert len([line for line in listed.stdout.splitlines() if execution in line and line.endswith("  attached")]) == 1, listed.stdout
    shown = json.loads(faultlayer("status", execution, "--json").stdout)
    assert shown["status"] == "Success" and [step["name"] for step in shown["steps"]][:2] == ["Attach", "Done"]
    back = faultlayer("rollback", name)
    assert back.returncode == 0 and "restored 1, unchanged 0" in back.stdout, back.stderr
    assert lab.snapshot(name) == before
    assert "attached" not in faultlayer("status").stdout


def test_a_refusal_is_told_with_its_reasons_and_the_exit_status(lab: LabWorld) -> None:
    lab.register()
    refused = faultlayer("attach", "nobody", "--plan", PLAN)
    assert refused.returncode == 1
    assert "`nobody`: does not exist" in refused.stdout + refused.stderr
    unknown = faultlayer("attach", "nobody", "--plan", PLAN, "--prefix", "Elsewhere")
    assert unknown.returncode == 2 and "Elsewhere-Attach" in unknown.stderr


def test_a_plan_too_long_for_a_parameter_value_goes_through_parameter_store(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    faults = [{"id": f"f{at}", "kind": "latency", "rate": 0.1, "delay_ms": 5} for at in range(12)]
    plan = json.dumps({"version": 1, "experiment": "a long one", "faults": faults})
    attached = faultlayer("attach", name, "--plan", plan, "--experiment", "--minutes", "1")
    assert attached.returncode == 0, attached.stdout + attached.stderr
    assert "restored 1" in attached.stdout
    assert lab.parameters("/faultlayer/Faultlayer/once") == []


def test_all_that_is_marked_comes_off_and_an_owner_s_change_is_told(lab: LabWorld) -> None:
    lab.register()
    name = lab.function()
    lab.attach([name])
    lab.fn.update_function_configuration(FunctionName=name, Description="mine")
    back = faultlayer("rollback", "--all")
    assert back.returncode == 0, back.stderr
    assert f"{name}: kept what its owner changed: field Description" in back.stdout
