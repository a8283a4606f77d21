"""What `--model` may be: one file a kind."""
