"""Supervised dialogues, made by running the product's own tools on real repositories."""
