"""What the Makefile runs: set-up, Airflow on this machine, the demo."""
