"""The pictures of a run: its cost curve, the decision boundary it learnt, how it predicts; and curves of several runs.

Figures for a notebook (`cost_figure`, `boundary_figure`, `curves_figure`, `network_figure`, `activations_figure`; of a
sandbox.landscape `descent_figure` and `landscape_figure`) and PNG bytes for a tracker (`cost_png`,
`boundary_png`, `boundary_frames`, `curves_png`, `Boundary`, `confusion_png`, `predictions_png`). What every run has is drawn
without a figure, as indices into a palette, so that a sweep can afford thousands.
"""

from sandbox.plots.activations import activations_figure
from sandbox.plots.boundary import Boundary, boundary_figure, boundary_frames, boundary_of, boundary_png
from sandbox.plots.confusion import confusion_png
from sandbox.plots.cost import cost_figure, cost_png
from sandbox.plots.curves import curves_figure, curves_png
from sandbox.plots.landscape import descent_figure, landscape_figure
from sandbox.plots.network import network_figure
from sandbox.plots.predictions import predictions_png

__all__ = [
    "Boundary",
    "activations_figure",
    "boundary_figure",
    "boundary_frames",
    "boundary_of",
    "boundary_png",
    "confusion_png",
    "cost_figure",
    "cost_png",
    "curves_figure",
    "curves_png",
    "descent_figure",
    "landscape_figure",
    "network_figure",
    "predictions_png",
]
