"""From an Airflow connection to a store."""

import tempfile
from pathlib import Path

from airflow.sdk import BaseHook, Connection

from rotoscope.store.base import Store
from rotoscope.store.folder import FolderStore
from rotoscope.store.s3 import Bucket, S3Store

DEFAULT_CONNECTION = "rotoscope_store"
CHECKOUT = Path(__file__).resolve().parents[2]
SCRATCH = "rotoscope"
"""Folder for files on their way to and from a bucket, where the machine keeps temporary ones."""


def store_from(connection_id: str = DEFAULT_CONNECTION) -> Store:
    """The store that a connection points at.

    Type `fs` is a folder, its `path` relative to the checkout. Type `aws` is a bucket: the extra's
    `service_config.s3` has `bucket_name`, and may have `prefix`, `upload_options` (such as ServerSideEncryption or
    StorageClass) and `public_endpoint_url`, where it is for those who get links. Raises ValueError if the connection
    is no store.
    """
    connection = BaseHook.get_connection(connection_id)
    if connection.conn_type == "fs":
        return FolderStore(CHECKOUT / connection.extra_dejson["path"])
    if connection.conn_type == "aws":
        return S3Store(_bucket(connection), Path(tempfile.gettempdir()) / SCRATCH)
    raise ValueError(f"Connection {connection_id} has type {connection.conn_type!r}; a store needs type 'fs' or 'aws'.")


def _bucket(connection: Connection) -> Bucket:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # seconds to import, which a folder need not pay

    settings = connection.extra_dejson.get("service_config", {}).get("s3", {})
    name = settings.get("bucket_name")
    if not name:
        raise ValueError(f"Connection {connection.conn_id} names no bucket; set service_config.s3.bucket_name.")
    hook, public = S3Hook(connection.conn_id), settings.get("public_endpoint_url")
    linking = hook.get_session().client("s3", endpoint_url=public, config=hook.config) if public else None
    prefix = settings.get("prefix", "").strip("/")
    return Bucket(hook.get_conn(), name, prefix, settings.get("upload_options", {}), linking)
