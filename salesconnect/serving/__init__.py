"""How the site is served: a thread only gets requests that have arrived completely."""
