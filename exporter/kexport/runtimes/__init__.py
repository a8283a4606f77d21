"""What runs an artifact: one file a runtime, named as users name it."""
