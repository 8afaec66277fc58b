"""The record checks: do the stored records agree with each other? `all_checks.CHECKS` lists every kind."""
