"""One file a family: a healthy model, the domain of its inputs, and the faults that are planted in its artifacts."""
