"""Does an artifact compute what the model computes? Goldens, the limit of what may differ, and the comparison."""
