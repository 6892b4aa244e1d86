"""The books: append-only journals whose postings sum to zero."""
