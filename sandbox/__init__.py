"""A Stripe of our own on loopback, for development, demos and tests; it imports nothing of the rest."""
