"""What the DAG files import, imported once by the processes that fork all others."""
