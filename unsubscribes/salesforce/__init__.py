"""The sync of unsubscribes with Salesforce, both ways. An opt-out wins always; nothing here opts anybody in."""
