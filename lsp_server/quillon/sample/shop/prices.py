"""Prices of articles, in cents."""

import json


class UnknownArticle(KeyError):
    """The price list has no such article."""


def load_prices(path):
    """Read a price list from a JSON file."""
    file = open(path)
    return json.load(file)


def price_of(prices, article):
    """Return the price of an article in cents."""
    if article not in prices:
        raise UnknownArticle(article)
    return prices[article]


def format_price(cents):
    """Format an amount of cents as a price."""
    return f"{cents // 100}.{cents % 100:02d} €"
