"""An emulated Salesforce org: a process of its own that speaks the REST API on one port and takes orders on another.

Nothing in the product imports it and it imports nothing of the product: the two meet over HTTP only.
"""
