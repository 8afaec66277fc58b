"""Domain names as DNS knows them."""

import idna


def ascii_domain(domain: str) -> str:
    """Return a domain in lower case and as A-labels: UTS 46, non-transitional. Raises UnicodeError for what is none.

    Case folding would make another domain of some: faß.de is not fass.de, and a Greek name that ends in ς is not the
    one that ends in σ. Only the mapping of UTS 46 tells them from their capitals.
    """
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    return idna.encode(domain, uts46=True).decode()
