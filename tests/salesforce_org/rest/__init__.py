"""The org's public side: sign-in and the REST API."""
