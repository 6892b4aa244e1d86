"""What we ask of the card processor and what it tells us, in our words."""
