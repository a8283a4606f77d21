"""Checking a bundle: digests, signatures, goldens, witnesses and contracts in every runtime."""
