"""The steps of a rotoscope request as Airflow operators."""
