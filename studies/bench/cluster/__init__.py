"""Our sweeps beside Ray Tune with MLflow, on the same work: `make bench-cluster`.

What is compared: the same configs, trained by the same code on two cores, with the same content of their MLflow runs. It is
looked at how long that takes, in how much memory, and what is there in MLflow after all, also when somebody was killed.
"""
