"""The domains of a model's inputs, declared, recorded or by default."""
