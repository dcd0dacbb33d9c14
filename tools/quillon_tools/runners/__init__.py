"""Test runners: how each is recognised, started and read. One module for each ecosystem."""
