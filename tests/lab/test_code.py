"""Where functions and layers get their code: zips in S3."""

from __future__ import annotations

import io
import json
import zipfile

from client import HANDLER, Lab, archive, refused


def test_code_and_layers_come_from_s3_as_the_caller(lab: Lab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    old = archive(app="import thing\ndef handler(event, context):\n    return ['old', thing.x]\n")
    new = archive(app="import thing\ndef handler(event, context):\n    return ['new', thing.x]\n")
    versions = [s3.put_object(Bucket="bucket", Key="code.zip", Body=body)["VersionId"] for body in (old, new)]
    s3.put_object(Bucket="bucket", Key="layer.zip", Body=archive(python__thing="x = 1\n"))
    layer = lab.functions.publish_layer_version(LayerName="l", Content={"S3Bucket": "bucket", "S3Key": "layer.zip"})
    where = {"S3Bucket": "bucket", "S3Key": "code.zip"}
    made = lab.function(Code={**where, "S3ObjectVersion": versions[0]}, Layers=[layer["LayerVersionArn"]])
    assert made["CodeSize"] == len(old)
    assert json.load(lab.functions.invoke(FunctionName="one")["Payload"]) == ["old", 1]
    lab.functions.update_function_code(FunctionName="one", **where)
    lab.settled()
    assert json.load(lab.functions.invoke(FunctionName="one")["Payload"]) == ["new", 1]
    reads = [row for row in lab.ask("GET", "/calls")["calls"] if row["operation"] == "GetObject"]
    assert [row["action"] for row in reads] == ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObject"]
    assert {row["caller"] for row in reads} == {"arn:aws:iam::123456789012:root"}


def test_code_that_s3_does_not_give_is_refused_in_lambdas_words(lab: Lab) -> None:
    lab.function()
    s3 = lab.client("s3")

    def update(**where: str) -> tuple[str, int, str]:
        return refused(lambda: lab.functions.update_function_code(FunctionName="one", **where))

    missing = update(S3Bucket="bucket", S3Key="code.zip")
    assert missing[:2] == ("InvalidParameterValueException", 400)
    assert missing[2].startswith("Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: ")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert "S3 Error Code: NoSuchKey." in update(S3Bucket="bucket", S3Key="code.zip")[2]
    s3.put_object(Bucket="bucket", Key="code.zip", Body=b"no zip")
    assert "Could not unzip uploaded file" in update(S3Bucket="bucket", S3Key="code.zip")[2]
    assert "S3 key" in update(S3Bucket="bucket")[2]
    error = {"code": "AccessDenied", "status": 403, "message": "no"}
    lab.hook("fail", service="s3", operation="GetObject", caller="any", error=error)
    denied = update(S3Bucket="bucket", S3Key="code.zip")
    assert denied[:2] == ("AccessDeniedException", 403)
    assert "permission to GetObject for bucket/code.zip. S3 Error Code: AccessDenied." in denied[2]


def test_a_zip_in_s3_may_be_larger_than_one_in_a_request(lab: Lab) -> None:
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as out:
        out.writestr("app.py", HANDLER)
        out.writestr("ballast", bytes(60 << 20))
    assert refused(lambda: lab.function(Code={"ZipFile": buffer.getvalue()}))[1] == 413
    s3.put_object(Bucket="bucket", Key="code.zip", Body=buffer.getvalue())
    made = lab.function(Code={"S3Bucket": "bucket", "S3Key": "code.zip"})
    assert made["CodeSize"] > 60 << 20
    assert json.load(lab.functions.invoke(FunctionName="one", Payload=b"1")["Payload"]) == 1
