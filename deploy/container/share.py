"""What workers on other machines must know, through a secret in AWS: `share.py put ARN` there, `share.py get ARN` here.

`get` waits for it and writes the lines of an environment file.
"""

import os
import sys
import time
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

ENVIRONMENT = Path(os.environ.get("SECRETS", "/secrets")) / "env"
WORKERS = ("AIRFLOW__", "ROTOSCOPE_")
"""Of the secrets, those whose names begin so; keys of the S3 server in the composition are not among them."""
SECONDS = 1800


def put(secret: str) -> None:
    """Share what `make_secrets.py` made."""
    lines = [line for line in ENVIRONMENT.read_text().splitlines() if line.startswith(WORKERS)]
    boto3.client("secretsmanager").put_secret_value(SecretId=secret, SecretString="\n".join(lines))


def get(secret: str) -> str:
    """What was shared. Raises ClientError if nothing is after half an hour."""
    client, deadline = boto3.client("secretsmanager"), time.monotonic() + SECONDS
    while True:
        try:
            return str(client.get_secret_value(SecretId=secret)["SecretString"])
        except ClientError as error:
            absent = error.response["Error"]["Code"] == "ResourceNotFoundException"
            if not absent or time.monotonic() > deadline:
                raise
        time.sleep(5)


if __name__ == "__main__":
    if sys.argv[1] == "put":
        put(sys.argv[2])
    else:
        print(get(sys.argv[2]))
