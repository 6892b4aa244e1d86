"""One file for each kind of object of the API."""
