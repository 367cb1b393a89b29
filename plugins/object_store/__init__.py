"""The store of the domain, reached through an Airflow connection."""
