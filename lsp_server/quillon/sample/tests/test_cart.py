import unittest

from shop.cart import Cart

PRICES = {"tea": 450, "mug": 1200}


class CartTest(unittest.TestCase):
    def test_total(self):
        cart = Cart(PRICES)
        cart.add("tea", 2)
        cart.add("mug")
        self.assertEqual(cart.total(), 2100)

    def test_last_articles(self):
        cart = Cart(PRICES)
        cart.add("tea")
        cart.add("mug")
        self.assertEqual(cart.last_articles(1), ["mug"])
