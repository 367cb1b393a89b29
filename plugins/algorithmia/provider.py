"""What Airflow's list of providers knows of this project: the connection type `algorithmia`, and its form."""

from typing import Any

FIELDS = {
    "timeout": ("Timeout", "number", "Seconds that a call may take; 300 if empty."),
    "concurrency": ("Calls at once", "integer", "The most that are tried; 16 if empty."),
    "batch_frames": ("Frames a call", "integer", "The most; 20 if empty."),
    "scratch": ("Scratch", "string", "For pictures on their way: data://.my, or s3+ALIAS://BUCKET/PREFIX."),
    "price_list": ("Price list", "string", "One of include/prices; algorithmia if empty."),
}


def get_provider_info() -> dict[str, Any]:
    """As Airflow wants it; the entry point `apache_airflow_provider` in pyproject.toml leads here."""
    fields = {
        name: {"label": label, "description": said, "schema": {"type": [kind, "null"]}}
        for name, (label, kind, said) in FIELDS.items()
    }
    connection = {
        "connection-type": "algorithmia",
        "hook-class-name": "algorithmia.hook.AlgorithmiaHook",
        "hook-name": "Algorithmia",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "login", "port"],
            "relabeling": {"host": "Address", "password": "API key"},
            "placeholders": {"host": "https://api.algorithmia.com"},
        },
        "conn-fields": fields,
    }
    return {
        "package-name": "rotoscope",
        "name": "Rotoscope",
        "description": "Algorithmia's protocol, for filters that paint elsewhere.",
        "connection-types": [connection],
    }
