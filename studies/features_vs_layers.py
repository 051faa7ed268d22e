"""Feature engineering or hidden layers?

    make compare            three data sets, three sizes, six arms: one or two minutes
    make compare-full       seven data sets, seven sizes, seven arms: about half an hour
    .venv/bin/python -m studies.features_vs_layers --help

The tutorials say: with much data use a deeper network, with little engineer features. Here every alternative is tuned
with the same effort, several times over, and measured on fresh seeds and fresh data, with its uncertainty. The arms are
in sandbox/comparison/arms.py, what is tuned and what is fixed in sandbox/comparison/protocol.py, the verdicts in
sandbox/answers/statistics.py. What the last full run showed is in studies/FINDINGS.md.
"""

from sandbox.comparison.command import compare
from sandbox.options import main

if __name__ == "__main__":
    main(compare)
