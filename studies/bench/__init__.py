"""Benchmarks: ours and its peers in turn, in one process on one core. `make bench` runs them in .venv-bench."""

import os

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # before anybody imports NumPy
    os.environ.setdefault(threads, "1")
