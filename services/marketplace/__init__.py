"""Courses that are sold one by one: catalogue, purchase, shares, refund, learning."""
