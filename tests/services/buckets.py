"""Buckets for the tests, made through botocore, which the store under test does not share."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from tests.services.process import S3Service


@cache
def client(service: S3Service) -> Any:
    """A blocking client of the service: for fixtures and for a second opinion."""
    # botocore comes with aiobotocore in the right version; boto3 would bring its own.
    from botocore.config import Config
    from botocore.session import Session

    return Session().create_client(
        "s3",
        endpoint_url=service.endpoint_url,
        aws_access_key_id=service.access_key,
        aws_secret_access_key=service.secret_key,
        region_name=service.region,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def create_bucket(service: S3Service) -> str:
    """A new bucket under a name that nobody else has."""
    name = f"test-{secrets.token_hex(8)}"
    client(service).create_bucket(Bucket=name)
    return name


def remove_bucket(service: S3Service, bucket: str) -> None:
    """Remove a bucket with everything in it, unless the test has done so."""
    s3 = client(service)
    try:
        s3.head_bucket(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return
        raise
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if versions:
            objects = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    s3.delete_bucket(Bucket=bucket)
