"""Rotoscope's domain: everything that is done to a video, without a word of Airflow."""

__version__ = "0.1.0"
