"""The lab's protocols against botocore's own: what it writes the lab reads, what the lab writes it reads."""

from __future__ import annotations

import base64
import json
from typing import Any

import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict

from wire import ANSWERS, WIRE, loaded, plain, text

WRITTEN = json.loads((WIRE.parent / "answers.json").read_text(encoding="utf-8"))


def test_committed_requests_are_what_the_installed_botocore_writes() -> None:
    assert WIRE.read_text(encoding="utf-8") == text(), "write it again: make models"


@pytest.mark.parametrize(
    ("asked", "written"), list(zip(ANSWERS, WRITTEN, strict=True)), ids=[f"{row[0]}-{row[2]}" for row in ANSWERS]
)
def test_botocore_reads_what_the_lab_answers(asked: tuple[str, str, str, dict[str, Any]], written: dict[str, Any]) -> None:
    service, protocol, operation, output = asked
    shape = loaded(service).operation_model(operation).output_shape
    body = written["text"].encode() if "text" in written else base64.b64decode(written["base64"])
    answer = {"status_code": written["status"], "headers": HeadersDict(written["headers"]), "body": body}
    parsed = botocore.parsers.create_parser(protocol).parse(answer, shape)
    parsed.pop("ResponseMetadata")
    # The protocol's own, where the service says no other.
    usual = {"ContentType": "application/xml"} if "ContentType" in parsed else {}
    assert plain(parsed) == usual | plain(output)
