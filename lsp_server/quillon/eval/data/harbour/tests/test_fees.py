import unittest

from harbour.fees import euros, mooring_fee, overdue, split_bill, with_discount


class FeesTest(unittest.TestCase):
    """Fees as the harbour master expects them."""

    def test_fee(self):
        self.assertEqual(mooring_fee(10, 5), 1200)
        self.assertEqual(mooring_fee(10, 1), 0)
        self.assertEqual(mooring_fee(1.5, 3, "night"), 82)

    def test_discount(self):
        self.assertEqual(with_discount(1000, 15), 850)
        self.assertEqual(with_discount(10, 150), 0)

    def test_split(self):
        self.assertEqual(split_bill(100, 3), [34, 33, 33])
        self.assertEqual(split_bill(9, 3), [3, 3, 3])

    def test_overdue(self):
        self.assertEqual(overdue({"a": 5, "b": 2, "c": 9}, 9), ["b", "a"])

    def test_euros(self):
        self.assertEqual(euros(1205), "12.05")
        self.assertEqual(euros(-150), "-1.50")
