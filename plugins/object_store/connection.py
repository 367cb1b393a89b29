"""From an Airflow connection to a store."""

from pathlib import Path

from airflow.sdk import BaseHook

from rotoscope.store.base import Store
from rotoscope.store.folder import FolderStore

DEFAULT_CONNECTION = "rotoscope_store"
CHECKOUT = Path(__file__).resolve().parents[2]


def store_from(connection_id: str = DEFAULT_CONNECTION) -> Store:
    """The store that a connection points at: type `fs` is a folder, its `path` relative to the checkout.

    Raises ValueError if the connection is of a type that is no store.
    """
    connection = BaseHook.get_connection(connection_id)
    if connection.conn_type != "fs":
        raise ValueError(f"Connection {connection_id} has type {connection.conn_type!r}; a store needs type 'fs'.")
    return FolderStore(CHECKOUT / connection.extra_dejson["path"])
