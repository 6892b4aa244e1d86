"""Everything that changes state: the transactional services behind Bursar."""
