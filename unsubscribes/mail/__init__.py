"""Mail from the application: composed, let through or held back, sent."""
