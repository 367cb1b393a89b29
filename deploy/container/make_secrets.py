"""Make every secret of this installation, once, into a volume: no two installations share one, and none has a default.

What is in the environment already, such as POSTGRES_PASSWORD, is kept as it is. `rm` of the volume makes new ones.
"""

import base64
import json
import os
import re
import secrets
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("SECRETS", "/secrets"))
SAFE = re.compile(r"[A-Za-z0-9_.~-]+")


def chosen(name: str, default: str = "") -> str:
    """A secret from the environment, the default, or a new one."""
    return os.environ.get(name) or default or secrets.token_hex(24)


def unquoted(name: str, default: str = "") -> str:
    """Such a secret that needs no quoting, in a shell or in a URL. Exits with a sentence if it would."""
    secret = chosen(name, default)
    if not SAFE.fullmatch(secret):
        sys.exit(f"{name} has characters that would need quoting; take letters, digits and any of _ . ~ - only.")
    return secret


def write(name: str, text: str) -> None:
    """Write a file that its owner alone, and root, can read."""
    path = FOLDER / name
    path.write_text(text)
    path.chmod(0o600)


def environment(postgres: str, redis: str, s3: tuple[str, str], algorithmia: str) -> dict[str, str]:
    """What the containers of Airflow find in their environment."""
    database = f"airflow:{postgres}@postgres:5432/airflow"
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{database}",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://:{redis}@redis:6379/0",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "ROTOSCOPE_RATE_STORAGE": f"redis://:{redis}@redis:6379/1",
        "NANIO_ACCESS_KEY": s3[0],
        "NANIO_SECRET_KEY": s3[1],
        "ALGORITHMIA_API_KEY": algorithmia,
    }


def main() -> None:
    """Write them, unless they are there."""
    if (FOLDER / "env").exists():
        return
    postgres, redis = unquoted("POSTGRES_PASSWORD"), unquoted("REDIS_PASSWORD")
    s3 = unquoted("S3_ACCESS_KEY", "rotoscope"), unquoted("S3_SECRET_KEY")
    made = environment(postgres, redis, s3, unquoted("ALGORITHMIA_API_KEY", f"sim{secrets.token_hex(16)}"))
    write("postgres", postgres)
    write("redis", redis)
    write("passwords.json", json.dumps({"admin": chosen("ADMIN_PASSWORD")}))
    write("env", "".join(f"{name}={value}\n" for name, value in made.items()))  # last: where it is, all are


if __name__ == "__main__":
    main()
