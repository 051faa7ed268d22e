"""The doctor: compares what campaigns should have come to with MLflow, the spool and Optuna, and mends what disagrees."""

from sandbox.doctor.examination import Examination, Finding, examine

__all__ = ["Examination", "Finding", "examine"]
