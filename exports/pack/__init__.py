"""The evidence pack: all that is held of one person, why, and the proof of it, in one file (GDPR art. 15 and 20)."""
