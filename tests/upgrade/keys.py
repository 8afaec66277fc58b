"""The keys under which the dumps were made: they protect nothing but fictitious people."""

KEYS = {
    "SECRET_KEY": "upgrade-test-9wS0mVtq3zKd7rXcLb2uHfPa5nYeJ8gT",
    "SALESCONNECT_UNSUBSCRIBE_KEY": "upgrade-test-Qk4ZrV8xN1cJ6pLdT3mWbS9yHf7uGaE2",
    "SALESCONNECT_SUPPRESSION_KEY": "upgrade-test-Xe5BnC0wR7tKvM2gLq9jZsDh4PyUf8aI",
    "SALESCONNECT_ENCRYPTION_KEY": "dXBncmFkZS10ZXN0LWVuY3J5cHRpb24ta2V5LTMyYnk=",
}
