"""Fetch the installer uv from a Python package index, with nothing but the standard library.

Debian's Python comes without pip and venv; uv needs neither. Use: get_uv.py TARGET
"""

import hashlib
import io
import json
import os
import platform
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

VERSION = "0.13.9"
INDEX = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
JSON = "application/vnd.pypi.simple.v1+json"


def wheel_tag() -> str:
    """The platform part of the wheel's name for this machine."""
    machine = platform.machine().lower().replace("arm64", "aarch64").replace("amd64", "x86_64")
    if sys.platform == "darwin":
        return "macosx_11_0_arm64" if machine == "aarch64" else "macosx_10_12_x86_64"
    libc = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return f"{libc}*_{machine}"


def matches(name: str) -> bool:
    """Whether a file of the index is the wheel for this machine."""
    first, _, last = wheel_tag().partition("*")
    if not name.startswith(f"uv-{VERSION}-py3-none-") or not name.endswith(".whl"):
        return False
    return any(tag.startswith(first) and tag.endswith(last) for tag in name[:-4].split("none-")[1].split("."))


def fetch() -> bytes:
    """The uv program."""
    request = urllib.request.Request(f"{INDEX.rstrip('/')}/uv/", headers={"Accept": JSON})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
        base = answer.url
    wheel = next((file for file in files if matches(file["filename"])), None)
    if wheel is None:
        sys.exit(f"{INDEX} has no uv {VERSION} for {platform.platform()}; install uv yourself as {sys.argv[1]}.")
    with urllib.request.urlopen(urllib.parse.urljoin(base, wheel["url"]), timeout=300) as answer:
        data = answer.read()
    if hashlib.sha256(data).hexdigest() != wheel["hashes"]["sha256"]:
        sys.exit(f"{wheel['filename']} came damaged; try again.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(f"uv-{VERSION}.data/scripts/uv")


def main() -> None:
    """Write uv to the path given, unless this version is there."""
    target = Path(sys.argv[1])
    mark = target.with_name(f"uv-{VERSION}")
    if not mark.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name("uv.part")
        part.write_bytes(fetch())
        part.chmod(0o755)
        part.replace(mark)
    target.unlink(missing_ok=True)
    target.symlink_to(mark.name)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(
            f"uv could not be fetched from {INDEX} ({error}); check the network, or set PIP_INDEX_URL to a mirror."
        )
