"""Measuring a model as the product uses it: calls, code, mistakes, speed.

Every task asks the model through the engine contract, with the prompts, grammars, parsers and
tools of the product. A task yields one `Outcome` per question; all figures are made from these.
"""
