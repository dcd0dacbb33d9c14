from shop.cart import Cart

PRICES = {"tea": 450, "mug": 1200}


def test_total():
    cart = Cart(PRICES)
    cart.add("tea", 2)
    cart.add("mug")
    assert cart.total() == 2100


def test_last_articles():
    cart = Cart(PRICES)
    cart.add("tea")
    cart.add("mug")
    assert cart.last_articles(1) == ["mug"]
