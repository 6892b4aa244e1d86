"""The demo business: half a year of an invented course platform, lived through the real verbs."""
