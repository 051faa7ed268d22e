"""Fair comparisons: arms tuned with equal effort, measured on fresh seeds and fresh data, judged with their uncertainty.

The protocol and its words are those of Google's tuning playbook: arm, data set and number of training examples are
scientific; learning rate, initializer and L2 are nuisances, tuned apart for every combination of these.
`run_comparison` is in sandbox.comparison.driver, the statistics in sandbox.answers.statistics.
"""

from sandbox.comparison.arms import Arm, parse_arm, standard_arms

__all__ = ["Arm", "parse_arm", "standard_arms"]
