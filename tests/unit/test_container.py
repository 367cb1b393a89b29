"""What containers begin with: secrets that are made once, settings that give way to what a container was given."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from moto import mock_aws
from tools.local import CHECKOUT, settings_in

CONTAINER = CHECKOUT / "deploy" / "container"


def make_secrets(folder: Path, **given: str) -> None:
    environment = {**os.environ, "SECRETS": str(folder), **given}
    subprocess.run(
        [sys.executable, str(CONTAINER / "make_secrets.py")],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )


def test_secrets_are_made_once_and_nobody_else_reads_them(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        make_secrets(folder, ADMIN_PASSWORD="chosen")
    made = settings_in(one / "env")
    assert json.loads((one / "passwords.json").read_text()) == {"admin": "chosen"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in one.iterdir())
    same = {name for name, value in settings_in(other / "env").items() if value == made[name]}
    assert same == {"NANIO_ACCESS_KEY"}, "no two installations share a secret"
    make_secrets(one, POSTGRES_PASSWORD="too late")
    assert settings_in(one / "env") == made


@pytest.mark.parametrize("password", ["s3cr&t $1", "a/b", "p#x", "two\nlines"])
def test_a_password_that_would_need_quoting_is_refused(tmp_path: Path, password: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        make_secrets(tmp_path, REDIS_PASSWORD=password)
    assert "REDIS_PASSWORD has characters that would need quoting" in failed.value.stderr
    assert not [*tmp_path.iterdir()]


def test_a_container_has_the_settings_of_the_fleet_and_its_own_go_over_them(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    script = (CONTAINER / "entrypoint.sh").read_text().replace("/opt/rotoscope", str(CHECKOUT))
    given = {
        "PATH": os.environ["PATH"],
        "SECRETS": str(tmp_path),
        "AIRFLOW__CORE__PARALLELISM": "7",
        "ODD": "it's $one",
    }
    command = ["sh", "-c", script, "entrypoint", "env", "-0"]
    said = subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout
    environment = dict(line.split("=", 1) for line in said.split("\0") if line)
    expected = {**settings_in(CHECKOUT / "deploy" / "fleet.env"), **settings_in(tmp_path / "env"), **given}
    assert {name: environment.get(name) for name in expected} == expected


def test_workers_elsewhere_get_what_they_need_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_secrets(tmp_path)
    monkeypatch.setenv("SECRETS", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.syspath_prepend(str(CONTAINER))
    with mock_aws():
        import boto3
        import share

        arn = boto3.client("secretsmanager").create_secret(Name="shared")["ARN"]
        share.put(arn)
        got = dict(line.split("=", 1) for line in share.get(arn).splitlines())
    made = settings_in(tmp_path / "env")
    assert got == {name: value for name, value in made.items() if not name.startswith(("NANIO", "ALGORITHMIA"))}
