"""S3: buckets and objects, with boto3 and with the AWS command line as they come."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import random
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError

from client import Lab, refused, until
from test_cli import aws
from test_losses import fill
from test_losses import small_disk as small_disk

REGION = {"LocationConstraint": "eu-central-1"}
MB = 1 << 20


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.fixture
def s3(lab: Lab) -> Any:
    client = lab.client("s3")
    client.create_bucket(Bucket="bucket", CreateBucketConfiguration=REGION)
    return client


def keys(s3: Any, **more: Any) -> list[str]:
    return [row["Key"] for row in s3.list_objects_v2(Bucket="bucket", **more).get("Contents", [])]


def files(lab: Lab) -> int:
    """How many files of bytes there are."""
    folder = lab.state / "s3/data"
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_buckets_are_made_found_and_deleted_once_they_are_empty(s3: Any) -> None:
    assert s3.head_bucket(Bucket="bucket")["BucketRegion"] == "eu-central-1"
    assert s3.get_bucket_location(Bucket="bucket")["LocationConstraint"] == "eu-central-1"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["bucket"]
    again = refused(lambda: s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=REGION))
    assert again[:2] == ("BucketAlreadyOwnedByYou", 409)
    for bad, code in (("ab", "InvalidBucketName"), ("Up", "InvalidBucketName"), ("other", "IllegalLocationConstraintException")):
        more = {} if bad == "other" else {"CreateBucketConfiguration": REGION}
        assert refused(lambda bad=bad, more=more: s3.create_bucket(Bucket=bad, **more))[0] == code  # type: ignore[misc]
    s3.put_object(Bucket="bucket", Key="k", Body=b"1")
    assert refused(lambda: s3.delete_bucket(Bucket="bucket"))[:2] == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket="bucket", Key="k")
    s3.delete_bucket(Bucket="bucket")
    assert refused(lambda: s3.head_bucket(Bucket="bucket"))[:2] == ("404", 404)
    assert refused(lambda: s3.list_objects_v2(Bucket="bucket"))[0] == "NoSuchBucket"
    assert refused(lambda: s3.put_object(Bucket="bucket", Key="k"))[0] == "NoSuchBucket"


def test_an_object_comes_back_as_it_was_put(s3: Any) -> None:
    key, body = "a/b c/+ü&?=%", noise(100_000)
    given = {"ContentType": "text/x", "CacheControl": "no-cache", "ContentEncoding": "gzip", "Metadata": {"one": "1", "b": "c d"}}
    put = s3.put_object(Bucket="bucket", Key=key, Body=body, **given)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    for answer in (s3.get_object(Bucket="bucket", Key=key), s3.head_object(Bucket="bucket", Key=key)):
        assert {name: answer[name] for name in given} == given
        assert (answer["ContentLength"], answer["ETag"]) == (len(body), put["ETag"])
        assert answer["ServerSideEncryption"] == "AES256"
    assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == body
    assert keys(s3) == [key]
    plain = s3.put_object(Bucket="bucket", Key="empty")
    assert plain["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    assert s3.head_object(Bucket="bucket", Key="empty")["ContentType"] == "binary/octet-stream"
    missing = refused(lambda: s3.get_object(Bucket="bucket", Key="none"))
    assert missing == ("NoSuchKey", 404, "The specified key does not exist.")


def test_ranges_and_preconditions(s3: Any) -> None:
    etag = s3.put_object(Bucket="bucket", Key="k", Body=b"0123456789")["ETag"]

    def get(**more: Any) -> Any:
        return s3.get_object(Bucket="bucket", Key="k", **more)

    part = get(Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"], part["ContentLength"]) == (b"234", "bytes 2-4/10", 3)
    assert get(Range="bytes=-3")["Body"].read() == b"789"
    assert refused(lambda: get(Range="bytes=10-"))[:2] == ("InvalidRange", 416)
    assert get(IfMatch=etag)["Body"].read() == b"0123456789"
    assert refused(lambda: get(IfMatch='"x"'))[:2] == ("PreconditionFailed", 412)
    assert refused(lambda: get(IfNoneMatch=etag))[:2] == ("304", 304)
    modified = get()["LastModified"]
    assert refused(lambda: get(IfModifiedSince=modified))[1] == 304
    assert refused(lambda: s3.put_object(Bucket="bucket", Key="k", IfNoneMatch="*"))[:2] == ("PreconditionFailed", 412)
    assert refused(lambda: s3.put_object(Bucket="bucket", Key="k", IfMatch='"x"'))[0] == "PreconditionFailed"
    s3.put_object(Bucket="bucket", Key="new", IfNoneMatch="*")
    s3.put_object(Bucket="bucket", Key="k", Body=b"2", IfMatch=etag)
    assert get()["Body"].read() == b"2"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_verified_kept_and_told(s3: Any, algorithm: str) -> None:
    if algorithm in {"CRC32C", "CRC64NVME"}:
        # botocore computes these with a library of its own only; the values are the catalogue's.
        body, value = b"123456789", {"CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg="}[algorithm]
        put = s3.put_object(Bucket="bucket", Key="k", Body=body, **{f"Checksum{algorithm}": value})
    else:
        body = noise(1000)
        put = s3.put_object(Bucket="bucket", Key="k", Body=body, ChecksumAlgorithm=algorithm)
        value = put[f"Checksum{algorithm}"]
    got = s3.head_object(Bucket="bucket", Key="k", ChecksumMode="ENABLED")
    assert (put["ChecksumType"], got[f"Checksum{algorithm}"], got["ChecksumType"]) == ("FULL_OBJECT", value, "FULL_OBJECT")
    bad = refused(lambda: s3.put_object(Bucket="bucket", Key="k", Body=b"other", **{f"Checksum{algorithm}": value}))
    assert bad[0] == "BadDigest"
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == body


def test_a_body_in_signed_pieces_with_its_checksum_behind_it(lab: Lab, s3: Any) -> None:
    body, crc = b"hello, pieces", base64.b64encode(zlib.crc32(b"hello, pieces").to_bytes(4, "big"))

    def send(checksum: bytes) -> tuple[int, bytes]:
        wire = b"5;chunk-signature=ab\r\nhello\r\n8\r\n, pieces\r\n0\r\nx-amz-checksum-crc32:" + checksum + b"\r\n\r\n"
        connection = http.client.HTTPConnection(lab.url.removeprefix("http://"), timeout=30)
        headers = {
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked",
            "x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": str(len(body)),
        }  # fmt: skip
        connection.request("PUT", "/bucket/k", wire, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    assert send(crc)[0] == 200
    got = s3.get_object(Bucket="bucket", Key="k", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got["ChecksumCRC32"], got.get("ContentEncoding")) == (body, crc.decode(), None)
    status, refusal = send(b"AAAAAA==")
    assert (status, b"<Code>BadDigest</Code>" in refusal) == (400, True)


def test_lists_come_in_pages_with_prefixes_and_delimiters(s3: Any) -> None:
    for name in ["a/1", "a/2", "b", "c d/+", "c d/e/f", "z"]:
        s3.put_object(Bucket="bucket", Key=name)
    everything = ["a/1", "a/2", "b", "c d/+", "c d/e/f", "z"]
    assert keys(s3) == everything
    assert keys(s3, Prefix="c d/") == ["c d/+", "c d/e/f"]
    assert keys(s3, StartAfter="b") == ["c d/+", "c d/e/f", "z"]
    for size in (1, 2, 4):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": size})
        assert [row["Key"] for page in pages for row in page["Contents"]] == everything
        pages = s3.get_paginator("list_objects").paginate(Bucket="bucket", Delimiter="/", PaginationConfig={"PageSize": size})
        rows = [row for page in pages for row in page.get("Contents", []) + page.get("CommonPrefixes", [])]
        assert sorted(row.get("Key") or row["Prefix"] for row in rows) == ["a/", "b", "c d/", "z"]
    one = s3.list_objects_v2(Bucket="bucket", Prefix="c d/", Delimiter="/")
    assert ([row["Key"] for row in one["Contents"]], one["CommonPrefixes"]) == (["c d/+"], [{"Prefix": "c d/e/"}])
    assert s3.list_objects_v2(Bucket="bucket", MaxKeys=0)["IsTruncated"] is False
    assert refused(lambda: s3.list_objects_v2(Bucket="bucket", ContinuationToken="?"))[0] == "InvalidArgument"
    done = s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": name} for name in [*everything, "none"]]})
    assert [row["Key"] for row in done["Deleted"]] == [*everything, "none"]
    assert keys(s3) == []


def test_copies_keep_or_replace_what_is_known_of_an_object(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="a b", Body=b"1", ContentType="text/x", Metadata={"m": "1"})
    source = {"Bucket": "bucket", "Key": "a b"}
    copied = s3.copy_object(Bucket="bucket", Key="copy", CopySource=source)["CopyObjectResult"]
    got = s3.get_object(Bucket="bucket", Key="copy")
    assert (got["ContentType"], got["Metadata"], got["ETag"], got["Body"].read()) == ("text/x", {"m": "1"}, copied["ETag"], b"1")
    s3.copy_object(Bucket="bucket", Key="copy", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "2"})
    assert s3.head_object(Bucket="bucket", Key="copy")["Metadata"] == {"n": "2"}
    assert refused(lambda: s3.copy_object(Bucket="bucket", Key="a b", CopySource=source))[0] == "InvalidRequest"
    other = {"Bucket": "bucket", "Key": "none"}
    assert refused(lambda: s3.copy_object(Bucket="bucket", Key="c", CopySource=other))[0] == "NoSuchKey"
    tag = {"CopySourceIfMatch": '"x"'}
    assert refused(lambda: s3.copy_object(Bucket="bucket", Key="c", CopySource=source, **tag))[0] == "PreconditionFailed"


def test_versions_are_kept_and_a_deleted_key_has_a_marker(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="k", Body=b"0")
    assert "Status" not in s3.get_bucket_versioning(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="bucket", Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket="bucket", Key="k", Body=b"2")
    assert s3.get_object(Bucket="bucket", Key="k", VersionId=first)["Body"].read() == b"1"
    assert s3.get_object(Bucket="bucket", Key="k", VersionId="null")["Body"].read() == b"0"
    marker = s3.delete_object(Bucket="bucket", Key="k")
    assert marker["DeleteMarker"] is True
    assert refused(lambda: s3.get_object(Bucket="bucket", Key="k"))[0] == "NoSuchKey"
    assert refused(lambda: s3.get_object(Bucket="bucket", Key="k", VersionId=marker["VersionId"]))[0] == "MethodNotAllowed"
    assert refused(lambda: s3.get_object(Bucket="bucket", Key="k", VersionId="x"))[0] == "NoSuchVersion"
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket="bucket", PaginationConfig={"PageSize": 1}))
    rows = [row for page in pages for row in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    assert (len(rows), [row["IsLatest"] for row in rows]) == (4, [True, False, False, False])
    s3.delete_object(Bucket="bucket", Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"2"
    gone = [{"Key": row["Key"], "VersionId": row["VersionId"]} for row in rows]
    s3.delete_objects(Bucket="bucket", Delete={"Objects": gone})
    s3.delete_bucket(Bucket="bucket")
    assert files(lab) == 0, "the bytes are gone as well"


def test_uploads_in_parts(lab: Lab, s3: Any) -> None:
    at = {"Bucket": "bucket", "Key": "big"}
    upload = s3.create_multipart_upload(**at, ChecksumAlgorithm="CRC32", Metadata={"m": "1"})
    assert (upload["ChecksumAlgorithm"], upload["ChecksumType"]) == ("CRC32", "COMPOSITE")
    at["UploadId"] = upload["UploadId"]
    bodies = [noise(5 * MB, 1), noise(5 * MB, 2), b"end"]
    s3.upload_part(**at, PartNumber=1, Body=b"replaced")
    sent = [s3.upload_part(**at, PartNumber=number, Body=body) for number, body in enumerate(bodies, 1)]
    parts = [
        {"PartNumber": number, "ETag": one["ETag"], "ChecksumCRC32": one["ChecksumCRC32"]} for number, one in enumerate(sent, 1)
    ]
    assert [row["Size"] for row in s3.list_parts(**at)["Parts"]] == [5 * MB, 5 * MB, 3]
    assert [row["Key"] for row in s3.list_multipart_uploads(Bucket="bucket")["Uploads"]] == ["big"]
    assert keys(s3) == [], "nothing is there before the end"

    def complete(parts: list[dict[str, Any]]) -> Any:
        return s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})

    assert refused(lambda: complete([parts[1], parts[0]]))[0] == "InvalidPartOrder"
    assert refused(lambda: complete([{**parts[0], "ETag": '"x"'}]))[0] == "InvalidPart"
    assert refused(lambda: complete([{**parts[0], "ChecksumCRC32": "AAAAAA=="}]))[0] == "InvalidPart"
    done = complete(parts)
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    sums = b"".join(zlib.crc32(body).to_bytes(4, "big") for body in bodies)
    assert done["ChecksumCRC32"] == base64.b64encode(zlib.crc32(sums).to_bytes(4, "big")).decode() + "-3"
    got = s3.get_object(Bucket="bucket", Key="big")
    assert (got["Body"].read(), got["Metadata"]) == (b"".join(bodies), {"m": "1"})
    edge = s3.get_object(Bucket="bucket", Key="big", Range=f"bytes={5 * MB - 2}-{5 * MB + 1}")["Body"].read()
    assert edge == bodies[0][-2:] + bodies[1][:2]
    part = s3.get_object(Bucket="bucket", Key="big", PartNumber=3)
    assert (part["Body"].read(), part["PartsCount"]) == (b"end", 3)
    assert refused(lambda: complete(parts))[0] == "NoSuchUpload"
    assert files(lab) == 3, "what was replaced is gone"


def test_an_upload_that_is_aborted_or_too_small_leaves_nothing(lab: Lab, s3: Any) -> None:
    at = {"Bucket": "bucket", "Key": "k"}
    at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
    parts = [{"PartNumber": n, "ETag": s3.upload_part(**at, PartNumber=n, Body=b"x")["ETag"]} for n in (1, 2)]
    assert refused(lambda: s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}))[0] == "EntityTooSmall"
    s3.abort_multipart_upload(**at)
    assert refused(lambda: s3.upload_part(**at, PartNumber=3, Body=b"x"))[0] == "NoSuchUpload"
    at["UploadId"] = s3.create_multipart_upload(Bucket="bucket", Key="k")["UploadId"]
    s3.upload_part(**at, PartNumber=1, Body=b"x")
    s3.delete_bucket(Bucket="bucket")
    assert files(lab) == 0


def test_boto3_moves_files_of_twenty_megabytes_and_copies_them_in_parts(s3: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(noise(20 * MB))
    s3.upload_file(str(source), "bucket", "big", ExtraArgs={"Metadata": {"m": "1"}})
    config = TransferConfig(multipart_threshold=8 * MB, multipart_chunksize=8 * MB)
    s3.copy({"Bucket": "bucket", "Key": "big"}, "bucket", "copy", Config=config)
    assert s3.head_object(Bucket="bucket", Key="copy")["ETag"].endswith('-3"')
    s3.download_file("bucket", "copy", str(target))
    assert target.read_bytes() == source.read_bytes()


def test_the_command_line_makes_copies_lists_and_removes(lab: Lab, tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        return aws(lab, "s3", *arguments, raw=True)

    source, folder = tmp_path / "big", tmp_path / "folder"
    source.write_bytes(noise(20 * MB))
    folder.mkdir()
    for name in ("one.txt", "two é.txt"):
        (folder / name).write_text(name)
    run("mb", "s3://bucket")
    run("cp", str(source), "s3://bucket/a/big")
    run("cp", "--recursive", str(folder), "s3://bucket/folder/")
    assert "20971520 a/big" in run("ls", "--recursive", "s3://bucket")
    assert "PRE folder/" in run("ls", "s3://bucket")
    assert "bucket" in run("ls")
    run("cp", "s3://bucket/a/big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    run("cp", "s3://bucket/a/big", "s3://bucket/b/big")
    run("mv", "s3://bucket/folder/one.txt", "s3://bucket/moved")
    run("sync", "s3://bucket/folder", str(tmp_path / "synced"))
    assert (tmp_path / "synced" / "two é.txt").read_text() == "two é.txt"
    run("rm", "s3://bucket/moved")
    found = aws(lab, "s3api", "list-objects-v2", "--bucket", "bucket", "--query", "Contents[].Key")
    assert found == ["a/big", "b/big", "folder/two é.txt"]
    aws(lab, "s3api", "get-object", "--bucket", "bucket", "--key", "a/big", "--range", "bytes=0-9", str(tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == source.read_bytes()[:10]
    run("rb", "--force", "s3://bucket")
    assert aws(lab, "s3api", "list-buckets")["Buckets"] == []


def test_a_template_is_packaged_by_the_command_line_and_its_code_can_be_used(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text("def handler(event, context):\n    return 'packaged'\n")
    template = tmp_path / "stack.yaml"
    template.write_text(
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Code: code\n      Handler: app.handler\n"
        "      Runtime: python3.12\n      Role: arn:aws:iam::123456789012:role/r\n"
    )
    aws(lab, "s3", "mb", "s3://bucket", raw=True)
    out = tmp_path / "packaged.json"
    aws(lab, "cloudformation", "package", "--template-file", str(template), "--s3-bucket", "bucket",
        "--use-json", "--output-template-file", str(out), raw=True)  # fmt: skip
    code = json.loads(out.read_text())["Resources"]["F"]["Properties"]["Code"]
    lab.function("packaged", Code=code)
    assert json.load(lab.functions.invoke(FunctionName="packaged")["Payload"]) == "packaged"


def test_what_the_lab_does_not_serve_or_take_is_refused_by_name_and_changes_nothing(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="k", Body=b"1")
    policy = refused(lambda: s3.put_bucket_policy(Bucket="bucket", Policy="{}"))
    assert policy == ("NotImplemented", 501, "the lab does not serve `PUT /bucket?policy` of `s3`")
    tagging = {"TagSet": [{"Key": "k", "Value": "v"}]}
    assert refused(lambda: s3.put_object_tagging(Bucket="bucket", Key="k", Tagging=tagging))[0] == "NotImplemented"
    assert refused(lambda: s3.get_bucket_acl(Bucket="bucket"))[0] == "NotImplemented"
    for given, expected in (
        ({"Tagging": "a=b"}, "NotImplemented"),
        ({"ACL": "public-read"}, "AccessControlListNotSupported"),
        ({"ExpectedBucketOwner": "210987654321"}, "AccessDenied"),
        ({"Metadata": {"m": "x" * 2048}}, "MetadataTooLarge"),
        ({"Key": "x" * 1025}, "KeyTooLongError"),
        ({"ContentMD5": base64.b64encode(b"0" * 16).decode()}, "BadDigest"),
    ):
        assert refused(lambda given=given: s3.put_object(**{"Bucket": "bucket", "Key": "k", **given}))[0] == expected  # type: ignore[misc]
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"1"


def test_a_request_larger_than_the_labs_bound_is_refused(lab: Lab, s3: Any) -> None:
    connection = http.client.HTTPConnection(lab.url.removeprefix("http://"), timeout=60)
    size = (256 << 20) + 1
    connection.putrequest("PUT", "/bucket/k")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        connection.send(block)
    connection.send(block[: size % (1 << 20)])
    answer = connection.getresponse()
    text = answer.read().decode()
    assert (answer.status, "<Code>EntityTooLarge</Code>" in text, "268435456 bytes in the lab" in text) == (400, True, True)


def test_calls_stand_in_the_log_with_their_actions_and_resources_and_hooks_see_them(lab: Lab, s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="a/k", Body=b"1")
    row = lab.ask("GET", "/calls")["calls"][-1]
    assert (row["action"], row["resource"]) == ("s3:PutObject", "arn:aws:s3:::bucket/a/k")
    lab.hook("fail", service="s3", operation="GetObject", caller="any")
    assert refused(lambda: s3.get_object(Bucket="bucket", Key="a/k"))[:2] == ("InternalError", 500)
    assert s3.get_object(Bucket="bucket", Key="a/k")["Body"].read() == b"1"


def test_a_kill_in_the_middle_of_uploads_leaves_no_half_object(labs: list[Lab], tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    labs.append(lab)
    lab.client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration=REGION)
    known: dict[str, int] = {}
    begun = threading.Event()

    def work(name: str, lab: Lab = lab) -> None:
        s3, seed = lab.client("s3"), 0
        try:
            while True:
                seed += 1
                if seed % 3 == 0:
                    at = {"Bucket": "bucket", "Key": name}
                    at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
                    tag = s3.upload_part(**at, PartNumber=1, Body=noise(3 * MB, seed))["ETag"]
                    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
                else:
                    s3.put_object(Bucket="bucket", Key=name, Body=noise(3 * MB, seed))
                known[name] = seed
                if seed == 4:
                    begun.set()
        except (BotoCoreError, OSError):
            return

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    lab.kill()
    for thread in threads:
        thread.join()
    again = Lab(tmp_path)
    labs.append(again)
    s3 = again.client("s3")
    uploads = s3.list_multipart_uploads(Bucket="bucket").get("Uploads", [])
    for name, seed in known.items():
        body = s3.get_object(Bucket="bucket", Key=name)["Body"].read()
        assert body in {noise(3 * MB, seed), noise(3 * MB, seed + 1)}, "at most the write that was cut off came after"
    for upload in uploads:
        s3.abort_multipart_upload(Bucket="bucket", Key=upload["Key"], UploadId=upload["UploadId"])
    assert files(again) == len(keys(s3)), "no bytes without an object"


def test_a_full_disk_refuses_and_leaves_nothing(labs: list[Lab], small_disk: Path) -> None:
    lab = Lab(small_disk / "state")
    labs.append(lab)
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=REGION)
    s3.put_object(Bucket="bucket", Key="k", Body=b"before")
    ballast = fill(small_disk)
    assert refused(lambda: s3.put_object(Bucket="bucket", Key="k", Body=noise(MB)))[:2] == ("InternalError", 500)
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"before"
    assert files(lab) == 1
    ballast.unlink()
    s3.put_object(Bucket="bucket", Key="k", Body=b"after")
    until(lambda: s3.get_object(Bucket="bucket", Key="k")["Body"].read(), lambda body: body == b"after")
    lab.kill()
