"""What Celery is told (`[celery] celery_config_options`): Airflow's own, and what a worker imports before it forks.

A worker is no job of Airflow's, so the listener does not hear of its start.
"""

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG

from rotoscope_preload.plugin import OF_DAG_FILES

CONFIG = {**DEFAULT_CELERY_CONFIG, "include": [*DEFAULT_CELERY_CONFIG.get("include", ()), *OF_DAG_FILES]}
