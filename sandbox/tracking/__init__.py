"""Where finished runs are kept: MLflow, and nothing else here knows about it.

Importing this package does not import MLflow (a second or two): that happens when a store is first used.
"""

from sandbox.tracking.connection import StoreError
from sandbox.tracking.entry import Destination, Record
from sandbox.tracking.store import Store

__all__ = ["Destination", "Record", "Store", "StoreError"]
