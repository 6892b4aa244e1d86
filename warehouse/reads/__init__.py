"""Questions that pages put to the published figures."""
