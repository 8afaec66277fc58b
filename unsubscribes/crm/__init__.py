"""The CRM that unsubscribes are synchronised with: what any CRM needs, and one folder for each provider."""
