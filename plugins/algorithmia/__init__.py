"""Algorithmia's protocol in Airflow's terms: a connection type with its hook, operators and a trigger."""
