"""What the models run on."""
