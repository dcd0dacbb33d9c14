"""Invoices as plain text."""

from shop.prices import format_price, price_of


def render_line(prices, article, quantity):
    """Return one line of an invoice."""
    price = price_of(prices, article)
    return f"{quantity} x {article} at {format_price(price)}"


def render_invoice(cart):
    """Return the invoice of a cart as text."""
    lines = []
    for article, quantity in cart.lines:
        lines.append(render_line(cart.prices, article, quantity))
    lines.append("total " + format_price(cart.total()))
    return "\n".join(lines)
