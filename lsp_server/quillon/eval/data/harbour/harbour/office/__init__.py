"""Papers for the harbour master."""
