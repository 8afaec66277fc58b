"""How the site is served: requests arrive as a whole before a thread takes them."""
