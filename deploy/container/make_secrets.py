"""Make every secret of this installation, once, into a volume: no two installations share one, and none has a default.

What is in the environment already, such as POSTGRES_PASSWORD, is kept as it is. `rm` of the volume makes new ones.
"""

import base64
import json
import os
import secrets
from pathlib import Path

FOLDER = Path(os.environ.get("SECRETS", "/secrets"))


def chosen(name: str) -> str:
    """A secret from the environment, or a new one. Hexadecimal, so that it needs no quoting anywhere."""
    return os.environ.get(name) or secrets.token_hex(24)


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
    postgres, redis = chosen("POSTGRES_PASSWORD"), chosen("REDIS_PASSWORD")
    s3 = os.environ.get("S3_ACCESS_KEY") or "rotoscope", chosen("S3_SECRET_KEY")
    write("postgres", postgres)
    write("redis", redis)
    write("passwords.json", json.dumps({"admin": chosen("ADMIN_PASSWORD")}))
    made = environment(postgres, redis, s3, os.environ.get("ALGORITHMIA_API_KEY") or f"sim{secrets.token_hex(16)}")
    write("env", "".join(f"{name}={value}\n" for name, value in made.items()))  # last: where it is, all are


if __name__ == "__main__":
    main()
