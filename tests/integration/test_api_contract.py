"""The API against its own document: requests made up from it, valid and not, by schemathesis."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools.local import CHECKOUT, LocalAirflow

from tests.api.client import PREFIX, Caller

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("airflow")]


def test_every_answer_is_as_the_document_says(airflow: LocalAirflow, clip: Path, tmp_path: Path) -> None:
    admin = Caller(airflow.url, airflow.token)
    video = admin.uploaded(clip)
    admin.made("/rotoscopes", {"video": video["id"], "filter": "identity"})
    admin.made("/contact-sheets", {"video": video["id"], "filters": ["halftone"]})
    shutil.copy(CHECKOUT / "schemathesis.toml", tmp_path)  # what it writes down beside that is not for later runs
    document = f"{airflow.url}{PREFIX}/openapi.json"
    who = f"Authorization: Bearer {airflow.token}"
    program = Path(sys.executable).parent / "schemathesis"
    how = ("--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1")
    command = [program, "run", document, "--url", airflow.url + PREFIX, "-H", who, *how, "--request-timeout", "90"]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.api.contract_hooks", "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **hooks}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:]
