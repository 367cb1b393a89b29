"""How the server is set up: by options of `python -m algorithmia_server`, or by variables of the same names."""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ALGORITHMIA_SERVER_"
MIB = 2**20


class Settings(BaseSettings):
    """A field is read from the variable of its name, such as `ALGORITHMIA_SERVER_DATA`; objects as JSON."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    keys: dict[str, SecretStr] = Field(description="The key of each user, by the user's name.")
    data: Path = Field(description="Folder of the data API's files.")
    threads: int = Field(default=1, ge=1, description="Processor threads that this process paints with.")
    calls_at_once: int = Field(default=80, ge=1, description="Calls of one user at once, over all processes.")
    request_bytes: int = Field(default=10 * MIB, gt=0, description="The largest input of a call.")
    result_bytes: int = Field(default=15_000_000, gt=0, description="The largest result of a call.")
    file_bytes: int = Field(default=5 * 1024 * MIB, gt=0, description="The largest file of the data API.")
    connectors: dict[str, str] = Field(
        default={}, description="Folders and S3 endpoints by connector: {'file': '/videos', 's3+mine': 'http://...'}."
    )
    filter_names: dict[str, str] = Field(
        default={}, description="Other names for filters, such as {'space_pizza': 'starlit-swirl'}."
    )


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
