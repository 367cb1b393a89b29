"""Two S3 servers with different habits, on loopback: moto knows conditional writes, nanio checks signatures."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
from tools.local import free_port

from tests.serving import process

ACCESS, SECRET, REGION = "rotoscopekey", "rotoscope-secret-key", "us-east-1"


@dataclass(frozen=True)
class S3Server:
    url: str

    def client(self) -> Any:
        config = botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "path"})
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
            config=config,
        )


@contextmanager
def s3_server(kind: str, folder: Path) -> Iterator[S3Server]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    scripts = Path(sys.executable).parent
    commands = {
        "moto": [scripts / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
        "nanio": [
            *(scripts / "nanio", "serve", "--host", "127.0.0.1", "--port", str(port)),
            *("--data-dir", folder, "--log-level", "error", "--no-access-log"),
        ],
    }
    known = {"NANIO_ACCESS_KEY": ACCESS, "NANIO_SECRET_KEY": SECRET, "TMPDIR": str(folder)}
    with process(*commands[kind], ready=url, env={**os.environ, **known}):
        yield S3Server(url)
