"""Measuring filters: impulse and sine responses, bands, and the bench that runs them."""
