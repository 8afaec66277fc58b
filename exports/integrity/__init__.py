"""Do the stored records agree with each other? Each kind of difference is declared once, in `listing.CHECKS`."""
