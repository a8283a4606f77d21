"""Searching for an input that breaks a contract: the hunt, its gradient estimates, and paired samples."""
