"""Which promises of a model's layers hold for the model."""
