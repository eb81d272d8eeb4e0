"""A server that speaks S3 and checks each signature, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from app.child import Child
from app.storage.bucket import BELOW, Bucket

SERVER = """
from threading import Event
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
Event().wait()
"""
BUCKET = "elm-photos"
EVERYTHING = "s3:*"
READING = "s3:Get*"
SETTING_UP = 1 + 2 * 3  # what is asked before signatures and rights are looked at


@dataclass(frozen=True)
class Keys:
    access_key: str
    secret_key: str


@dataclass(frozen=True)
class S3:
    """With a bucket, who may do everything with it, and who may only read it."""

    endpoint: str
    process: Child
    owner: Keys
    reader: Keys

    def settings(self, **other: str) -> dict[str, str]:
        """As an instance is given them."""
        mine = {"bucket": BUCKET, "endpoint": self.endpoint, "region": "", **vars(self.owner)}
        return {f"s3_{name}": value for name, value in (mine | other).items()}

    def bucket(self, name: str = BUCKET, **other: str) -> Bucket:
        given = {"endpoint": self.endpoint, "region": "", **vars(self.owner)}
        return Bucket(name, **(given | other))

    def in_it(self) -> dict[str, str]:
        """The media type of each thing in the bucket, by its name."""
        client = client_of("s3", self.endpoint, self.owner)
        listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        return {
            one["Key"].removeprefix(BELOW): client.head_object(Bucket=BUCKET, Key=one["Key"])[
                "ContentType"
            ]
            for one in listed
        }


def client_of(service: str, endpoint: str, keys: Keys) -> Any:
    return botocore.session.Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


@contextmanager
def started(folder: Path) -> Iterator[S3]:
    env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(SETTING_UP)}
    with (folder / "s3.log").open("wb") as errors:
        process = Child(
            [sys.executable, "-c", SERVER], env=env, output=subprocess.PIPE, errors=errors
        )
    try:
        assert process.stdout is not None
        endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"
        anybody = Keys("anybody", "anybody")
        users = client_of("iam", endpoint, anybody)
        owner, reader = (
            _user(users, name, may) for name, may in (("owner", EVERYTHING), ("reader", READING))
        )
        client_of("s3", endpoint, anybody).create_bucket(Bucket=BUCKET)
        yield S3(endpoint, process, owner, reader)
    finally:
        process.stop()
        assert process.stdout is not None
        process.stdout.close()


def _user(users: Any, name: str, may: str) -> Keys:
    users.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": may, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    users.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
    made = users.create_access_key(UserName=name)["AccessKey"]
    return Keys(made["AccessKeyId"], made["SecretAccessKey"])
