"""Seals: the history closed into Merkle trees, each linked to the one before, so that nobody can bend it unseen."""
