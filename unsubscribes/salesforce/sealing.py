"""Secrets at rest, as everywhere in the product."""

from salesconnect.lib.vault import seal, unseal

__all__ = ["seal", "unseal"]
