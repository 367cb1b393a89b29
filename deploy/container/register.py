"""Register pools and connections in an Airflow that has just started, where they are not there yet; make the bucket.

What somebody changed in Airflow stays as it is.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

AIRFLOW = os.environ.get("AIRFLOW_URL", "http://api-server:8080")
S3, PUBLIC_S3 = os.environ.get("S3_URL", "http://s3:9000"), os.environ.get("PUBLIC_S3_URL")
"""Where the bucket is for the containers, and for those who get links to it; `aws` stands for S3 itself."""
BUCKET, REGION = os.environ.get("BUCKET", "rotoscope"), os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
POOLS = Path(__file__).resolve().parents[2] / "include" / "pools.json"
WITH_PATHS: dict[str, Any] = {"s3": {"addressing_style": "path"}, "signature_version": "s3v4"}
AWS = "aws"
SECONDS = 120


def token() -> str:
    """The administrator's."""
    passwords = json.loads(Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]).read_text())
    login = {"username": "admin", "password": passwords["admin"]}
    answer = requests.post(f"{AIRFLOW}/auth/token", json=login, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def connections() -> dict[str, dict[str, Any]]:
    """To the store, to sources in buckets, and to the bundled Algorithmia server, where it has a key."""
    aws: dict[str, Any] = {"region_name": REGION}
    bucket, keys = {"bucket_name": BUCKET}, {}
    if S3 != AWS:
        aws |= {"endpoint_url": S3, "config_kwargs": WITH_PATHS}
        keys = {"login": os.environ["NANIO_ACCESS_KEY"], "password": os.environ["NANIO_SECRET_KEY"]}
        bucket |= {"public_endpoint_url": PUBLIC_S3} if PUBLIC_S3 else {}
    store = {**aws, "service_config": {"s3": bucket}}
    made: dict[str, dict[str, Any]] = {
        "rotoscope_store": {"conn_type": "aws", **keys, "extra": json.dumps(store)},
        "aws_default": {"conn_type": "aws", **keys, "extra": json.dumps(aws)},
    }
    if key := os.environ.get("ALGORITHMIA_API_KEY"):
        made["algorithmia_default"] = {"conn_type": "algorithmia", "host": "http://algorithmia:8090", "password": key}
    return made


def make_bucket() -> None:
    """Make the bucket, unless it is there."""
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    known = {
        "aws_access_key_id": os.environ["NANIO_ACCESS_KEY"],
        "aws_secret_access_key": os.environ["NANIO_SECRET_KEY"],
    }
    client = boto3.client("s3", endpoint_url=S3, region_name=REGION, config=config, **known)
    if BUCKET not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=BUCKET)


def register(kind: str, body: dict[str, Any], headers: dict[str, str]) -> None:
    """Make one of a kind, unless it is there; the server may take a moment."""
    deadline = time.monotonic() + SECONDS
    while True:
        answer = requests.post(f"{AIRFLOW}/api/v2/{kind}", json=body, headers=headers, timeout=60)
        if answer.status_code in (201, 409):
            return
        if time.monotonic() > deadline:
            sys.exit(f"{kind} could not be registered: {answer.status_code} {answer.text[:300]}")
        time.sleep(1)


def main() -> None:
    """Register all of it."""
    if S3 != AWS:
        make_bucket()
    headers = {"Authorization": f"Bearer {token()}"}
    for name, fields in json.loads(POOLS.read_text()).items():
        register("pools", {"name": name, **fields}, headers)
    for name, fields in connections().items():
        register("connections", {"connection_id": name, **fields}, headers)


if __name__ == "__main__":
    main()
