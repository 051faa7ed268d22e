"""What runs have kept, the network of each: to predict with, and to give away.

`load` gives it; the commands predict, export and register are about it.
"""

from sandbox.kept.loading import load

__all__ = ["load"]
