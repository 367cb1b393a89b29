"""Batches in Airflow's terms: operators, triggers, and the policy that lets people's own requests go first."""
