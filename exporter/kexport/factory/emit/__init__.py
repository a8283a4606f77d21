"""From a traced program to the graph that a converter reads: handover, emission, precision, constant folding."""
