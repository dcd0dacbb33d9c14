"""A cart: articles with quantities."""

from shop.prices import price_of


class Cart:
    """The articles that a customer has chosen."""

    def __init__(self, prices):
        self.prices = prices
        self.lines = []

    def add(self, article, quantity=1):
        """Add an article to the cart."""
        if quantity < 1:
            raise ValueError("quantity must be positive")
        self.lines.append((article, quantity))

    def total(self):
        """Return the price of everything in the cart, in cents."""
        amount = 0
        for article, quantity in self.lines:
            amount += price_of(self.prices, article) * quantity
        return amount

    def last_articles(self, count):
        """Return the last articles that were added, the newest first."""
        articles = []
        for i in range(count + 1):
            articles.append(self.lines[-i][0])
        return articles
