"""A server that speaks S3, for tests: moto's, in a thread of the test process."""

from __future__ import annotations

import atexit
import functools
import itertools
import os

import boto3
import pytest
from moto.server import ThreadedMotoServer

_numbers = itertools.count()
_pointed_to: list[str] = []


@functools.cache
def address() -> str:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def point_to(monkeypatch, endpoint: str) -> None:
    """Have S3 at ``endpoint``, by what the AWS tools look at."""
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    if _pointed_to != [endpoint]:  # a client takes a second to make
        s3fs.S3FileSystem.clear_instance_cache()
        _pointed_to[:] = [endpoint]


@functools.cache
def client():
    """Another client than the product's."""
    return boto3.client(
        "s3",
        endpoint_url=address(),
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    )


class Bucket:
    """A bucket of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client = client()
        self.client.create_bucket(Bucket=name)

    def url(self, key: str = "out") -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)

    def names(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return sorted(entry["Key"] for page in pages for entry in page.get("Contents", ()))

    def outputs(self, prefix: str = "out/") -> dict[str, bytes]:
        """What a run has written, without what it knows."""
        found = [key for key in self.names(prefix) if not key.startswith(f"{prefix}_gpucurate/")]
        return {key.removeprefix(prefix): self.get(key) for key in found}

    def pending(self) -> list[str]:
        found = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [upload["Key"] for upload in found]


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    point_to(monkeypatch, address())
    return Bucket(f"bucket-{os.getpid()}-{next(_numbers)}")
