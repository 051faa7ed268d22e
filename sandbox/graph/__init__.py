"""Computational graphs: one forward and backward pass, node by node, as the from-scratch texts do it by hand."""

from sandbox.graph.build import batch_graph, example_graph
from sandbox.graph.graph import Graph, Pass
from sandbox.graph.node import Edge, Node

__all__ = ["Edge", "Graph", "Node", "Pass", "batch_graph", "example_graph"]
