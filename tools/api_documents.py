"""Write the API's documents anew, as they are served: `make api`."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools.local import CHECKOUT

FOLDER = CHECKOUT / "include" / "api"
CONVERTER = CHECKOUT / "tests" / "clients" / "node_modules" / ".bin" / "openapi2postmanv2"
OPTIONS = "folderStrategy=Tags,parametersResolution=Example,includeAuthInfoInExample=false"


def document() -> dict[str, Any]:
    """The OpenAPI document, without a server."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        from rotoscope_api.app import create_app
        from rotoscope_api.openapi import document as made

        return made(create_app(airflow=None))


def main() -> None:
    """Write the OpenAPI document, and the Postman collection that is made of it."""
    openapi = FOLDER / "openapi.json"
    openapi.write_text(text_of(document()))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "collection.json"
        subprocess.run([CONVERTER, "-s", openapi, "-o", made, "-O", OPTIONS], check=True, stdout=subprocess.DEVNULL)
        collection = json.loads(made.read_text())
    _settle(collection, "")
    (FOLDER / "postman-collection.json").write_text(text_of(collection))


def text_of(made: Any) -> str:
    """A document as it stands in the repository."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _settle(part: Any, path: str) -> None:
    """Take out what the converter makes up anew each time: ids, and examples of answers, which the document has."""
    if isinstance(part, dict):
        for name in ("id", "_postman_id"):
            if isinstance(part.get(name), str):
                part[name] = path or "rotoscope"
        if "request" in part:
            part["response"] = []
        for name, value in part.items():
            _settle(value, f"{path}/{name}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            _settle(value, f"{path}/{index}")


if __name__ == "__main__":
    main()
