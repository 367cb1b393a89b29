"""Our API: every step of a rotoscope over HTTP, mounted in Airflow's own server."""
