"""What a network learns from: data sets by name, and feature crosses written as people write them."""

from sandbox.data.crosses import Cross, add_crosses, parse_cross, parse_crosses, places_kept
from sandbox.data.dataset import Dataset
from sandbox.data.datasets import DATASETS, load_dataset, load_parts
from sandbox.data.parts import Parts
from sandbox.data.scaling import Scaling

__all__ = [
    "DATASETS",
    "Cross",
    "Dataset",
    "Parts",
    "Scaling",
    "add_crosses",
    "load_dataset",
    "load_parts",
    "parse_cross",
    "parse_crosses",
    "places_kept",
]
