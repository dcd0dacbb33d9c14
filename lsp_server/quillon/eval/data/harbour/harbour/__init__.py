"""The books of a small harbour."""
