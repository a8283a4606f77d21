"""The float64 truth of a model: the twin, the goldens, and witnesses carried over from an earlier build."""
