"""Experiments: a script for each question, the sweep that gathers its evidence."""
