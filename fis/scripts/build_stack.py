"""Builds the CloudFormation template: `fis/stack.yaml` with the shipped layers, documents, plans and experiment templates.

`python build_stack.py --dist DIR` writes `DIR/stack.json`. What it names, `aws cloudformation package` finds beside it: the layers
in `DIR/layers`, the sample functions' code in `DIR/samples`.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "fis" / "templates"
DOCUMENTS = ROOT / "ssm-documents"
PLANS = ROOT / "examples" / "plans"

ARCHITECTURES = {"x86_64": "X8664", "arm64": "Arm64"}
# The layer's key, as in `faultlayer-python-arm64.zip`, to how CloudFormation and the documents name it.
LANGUAGES = {"python": "Python", "node": "Node", "java": "Java"}
SAMPLES = {
    "python": (ROOT / "examples" / "python", "app.handler", ["app.py"]),
    "node": (ROOT / "examples" / "node", "index.handler", ["index.mjs"]),
    "java": (ROOT / "examples" / "java" / "target" / "classes", "example.Handler", ["example"]),
}
DOCUMENT_NAMES = ("Attach", "Rollback", "Experiment", "Change")
STACK_PLANS = ("sample", "ramp")

# What stands for what in the shipped experiment templates.
PLACEHOLDERS = {
    "<PARTITION>": "${AWS::Partition}",
    "<REGION>": "${AWS::Region}",
    "<ACCOUNT>": "${AWS::AccountId}",
    "<STACK>": "${AWS::StackName}",
    "<FIS_ROLE_ARN>": "${ExperimentRole.Arn}",
    "<STOP_ALARM_ARN>": "${StopAlarmToUse}",
    "<ASSERTED_ALARM_ARN>": "${StopAlarmToUse}",
    "<LOG_GROUP_ARN>:*": "${ExperimentLogs.Arn}",
    "<TAG_KEY>": "${TargetTagKey}",
    "<TAG_VALUE>": "${AWS::StackName}",
    "<PYTHON_FUNCTION>": "${PythonFunction}",
    "<NODE_FUNCTION>": "${NodeFunction}",
    "<JAVA_FUNCTION>": "${JavaFunction}",
}

Json = dict[str, Any]


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` is `{"Fn::Sub": x}`."""


def short_form(loader: Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise SystemExit(f"stack.yaml: `!{tag}` of a map")
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


Loader.add_multi_constructor("!", short_form)  # type: ignore[no-untyped-call]


def function_name(language: str) -> Json:
    """The function that a template is for: the one a parameter names, or the sample."""
    name = LANGUAGES[language]
    return {"Fn::If": [f"Named{name}", {"Ref": f"{name}FunctionName"}, {"Fn::Sub": "${AWS::StackName}-" + language}]}


def variables() -> Json:
    """What texts of the stack name beside its parameters and resources."""
    alarm: Json = {"Fn::If": ["OwnAlarm", {"Fn::GetAtt": ["StopAlarm", "Arn"]}, {"Ref": "StopAlarmArn"}]}
    names = {f"{LANGUAGES[language]}Function": function_name(language) for language in LANGUAGES}
    # A list inside a text that is JSON already.
    return {"StopAlarmToUse": alarm, **names, "AllowedLayers": {"Fn::Join": ['","', {"Ref": "AllowedLayers"}]}}


def substituted(text: str) -> Any:
    """A text with `${…}` for CloudFormation; as it is where it names nothing."""
    if "${" not in text:
        return text
    named = {name: value for name, value in variables().items() if "${" + name + "}" in text}
    return {"Fn::Sub": [text, named] if named else text}


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def policies_as_text(value: Any) -> Any:
    """Every policy as a string: no function of CloudFormation reaches a key, and the opt-in tag's name is one."""
    if isinstance(value, dict):
        return {
            key: substituted(compact(child)) if key.endswith("PolicyDocument") else policies_as_text(child)
            for key, child in value.items()
        }
    return [policies_as_text(child) for child in value] if isinstance(value, list) else value


def layers(dist: Path) -> Json:
    found: Json = {}
    for language, name in LANGUAGES.items():
        for architecture, key in ARCHITECTURES.items():
            archive = f"faultlayer-{language}-{architecture}.zip"
            if not (dist / "layers" / archive).is_file():
                print(f"left out: dist/layers/{archive} is not there, `make layers` builds it", file=sys.stderr)
                continue
            found[f"{name}Layer{key}"] = {
                "Type": "AWS::Lambda::LayerVersion",
                "Properties": {
                    "LayerName": {"Fn::Sub": f"${{AWS::StackName}}-{language}-{architecture}"},
                    "Description": f"Faultlayer for {name} on {architecture}",
                    "Content": f"layers/{archive}",
                    "CompatibleArchitectures": [architecture],
                    "LicenseInfo": "Apache-2.0",
                },
            }
    return found


def document(name: str, layer_names: list[str]) -> Json:
    """A shipped document with the stack's role, layers and roll-back as its defaults, as one text.

    An object would be written out with indentation by CloudFormation, and be too large for Systems Manager.
    """
    content = json.loads((DOCUMENTS / f"Faultlayer-{name}.json").read_text())
    if "${" in json.dumps(content):
        raise SystemExit(f"Faultlayer-{name}.json: `${{` means something else to CloudFormation")
    defaults = {"AutomationAssumeRole": "${AutomationRole.Arn}", "RollbackDocumentName": "${AWS::StackName}-Rollback"}
    defaults["Stack"] = "${AWS::StackName}"
    defaults |= {layer: "${" + layer + "}" for layer in layer_names}
    for parameter, value in defaults.items():
        if parameter in content["parameters"]:
            content["parameters"][parameter]["default"] = value
    return {
        "Type": "AWS::SSM::Document",
        "Properties": {
            "Name": {"Fn::Sub": "${AWS::StackName}-" + name},
            "DocumentType": "Automation",
            "DocumentFormat": "JSON",
            "UpdateMethod": "NewVersion",
            "Content": substituted(compact(content)),
        },
    }


def plan(name: str) -> Json:
    value = compact(json.loads((PLANS / f"{name}.json").read_text()))
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": {"Fn::Sub": f"/faultlayer/${{AWS::StackName}}/plan/{name}"},
            "Description": "A plan for Faultlayer's experiments",
            "Type": "String",
            "Value": value,
        },
    }


def filled(text: str) -> str:
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    if left := re.search(r"<[A-Z_]+>", text):
        raise SystemExit(f"templates: nothing stands for `{left.group()}`")
    return text


def pascal(value: Any, keep: bool = False) -> Any:
    """The API's names as CloudFormation's: the first letter large. `keep`: the keys are names of the user's."""
    if isinstance(value, dict):
        own = ("tags", "actions", "targets", "parameters")
        return {
            key if keep else key[0].upper() + key[1:]: pascal(child, keep=not keep and key in own) for key, child in value.items()
        }
    if isinstance(value, list):
        return [pascal(child) for child in value]
    return substituted(filled(value)) if isinstance(value, str) else value


def experiment_template(name: str) -> Json:
    text = (TEMPLATES / f"{name}.json").read_text()
    # A template for a function stands only where there is one.
    conditions = [f"Has{key}" for language, key in LANGUAGES.items() if f"<{language.upper()}_FUNCTION>" in text]
    return {
        "Type": "AWS::FIS::ExperimentTemplate",
        **({"Condition": conditions[0]} if conditions else {}),
        # What it starts must be allowed by then.
        "DependsOn": ["ExperimentPolicy", "AutomationPolicy", "AutomationPassesItself", *map(logical, DOCUMENT_NAMES)],
        "Properties": pascal(json.loads(text)),
    }


def logical(document_name: str) -> str:
    return f"{document_name}Document"


def sample(language: str, dist: Path) -> Json:
    """A sample function with its log group, which would stay behind if Lambda made it."""
    source, handler, names = SAMPLES[language]
    place = dist / "samples" / language
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in names:
        if not (source / name).exists():
            raise SystemExit(f"{source / name}: is not there, `make stack` builds it")
        if (source / name).is_dir():
            shutil.copytree(source / name, place / name)
        else:
            shutil.copy(source / name, place / name)
    key = LANGUAGES[language]
    return {
        f"{key}SampleLogs": {
            "Type": "AWS::Logs::LogGroup",
            "Condition": "Samples",
            "Properties": {"LogGroupName": {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{language}"}, "RetentionInDays": 7},
        },
        f"{key}Sample": {
            "Type": "AWS::Lambda::Function",
            "Condition": "Samples",
            "DependsOn": [f"{key}SampleLogs", "SamplePolicy"],
            "Properties": {
                "FunctionName": {"Fn::Sub": "${AWS::StackName}-" + language},
                "Description": "A sample function: it greets, and knows nothing of Faultlayer",
                "Runtime": {"Ref": f"{key}Runtime"},
                "Architectures": [{"Ref": "SampleArchitecture"}],
                "Handler": handler,
                "Role": {"Fn::GetAtt": ["SampleRole", "Arn"]},
                "Timeout": 10,
                "MemorySize": 512 if language == "java" else 128,
                "Code": f"samples/{language}",
                "Tags": [
                    {"Key": {"Ref": "OptInTagKey"}, "Value": {"Ref": "OptInTagValue"}},
                    {"Key": {"Ref": "TargetTagKey"}, "Value": {"Ref": "AWS::StackName"}},
                ],
            },
        },
    }


def parameters_for(language: str) -> Json:
    """The ready document parameters: at most 1,024 characters, no white space, values that are texts or lists of texts."""
    text = compact(
        {
            "FunctionNames": ["${" + LANGUAGES[language] + "Function}"],
            "Plan": "parameter:/faultlayer/${AWS::StackName}/plan/sample",
            "DurationMinutes": "5",
        }
    )
    return {
        "Description": f"For the documents Attach and Experiment: the function on {LANGUAGES[language]} under the sample plan",
        "Value": substituted(text),
        "Condition": f"Has{LANGUAGES[language]}",
    }


def build(dist: Path) -> Json:
    stack: Json = yaml.load((ROOT / "fis" / "stack.yaml").read_text(), Loader)
    stack["Resources"] = resources = policies_as_text(stack["Resources"])
    for name in LANGUAGES.values():
        stack["Conditions"][f"Has{name}"] = {"Fn::Or": [{"Condition": "Samples"}, {"Condition": f"Named{name}"}]}
    found = layers(dist)
    resources |= found
    for name in DOCUMENT_NAMES:
        resources[logical(name)] = document(name, list(found))
    for name in STACK_PLANS:
        resources[f"{name.capitalize()}Plan"] = plan(name)
    for path in sorted(TEMPLATES.glob("*.json")):
        key = "".join(word.capitalize() for word in path.stem.split("-"))
        resources[f"{key}Template"] = experiment_template(path.stem)
    for language in SAMPLES:
        resources |= sample(language, dist)
    stack["Outputs"] = outputs(resources)
    return stack


def outputs(resources: Json) -> Json:
    found: Json = {f"{name}ChaosInjectionParam": parameters_for(language) for language, name in LANGUAGES.items()}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::FIS::ExperimentTemplate":
            condition = {key: resource[key] for key in ("Condition",) if key in resource}
            found[name] = {"Description": "The id of an experiment template", "Value": {"Ref": name}, **condition}
    for name in DOCUMENT_NAMES:
        found[logical(name)] = {"Description": "The name of an Automation document", "Value": {"Ref": logical(name)}}
    found["StopAlarm"] = {
        "Description": "The ARN of the alarm that stops every experiment",
        "Value": variables()["StopAlarmToUse"],
    }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    dist: Path = parser.parse_args().dist
    text = json.dumps(build(dist), indent=1, ensure_ascii=False) + "\n"
    out = dist / "stack.json"
    out.write_text(text)
    print(f"{out}: {len(text.encode())} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
