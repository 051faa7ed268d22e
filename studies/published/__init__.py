"""The published results that the trainer claims: the figures, their sources and their pictures."""
