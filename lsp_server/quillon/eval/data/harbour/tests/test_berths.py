import unittest

from harbour.berths import Quay, QuayFull, pilot_boat, swap_berths
from harbour.ships import Ship


class BerthsTest(unittest.TestCase):
    """Berths as the harbour master expects them."""

    def test_moor(self):
        quay = Quay([50, 20, 30])
        self.assertEqual(quay.moor(Ship("A", 18, 2)), 1)
        self.assertEqual(quay.moor(Ship("B", 18, 2)), 2)
        self.assertEqual(quay.free_berths(), [0])
        self.assertAlmostEqual(quay.occupancy(), 2 / 3)
        self.assertRaises(QuayFull, quay.moor, Ship("C", 60, 2))
        self.assertEqual(Quay([]).occupancy(), 0.0)

    def test_cast_off(self):
        quay = Quay([50])
        quay.moor(Ship("A", 18, 2))
        self.assertIs(quay.cast_off("B"), False)
        self.assertTrue(quay.cast_off("A"))
        self.assertEqual(quay.moored, {})

    def test_swap(self):
        quay = Quay([50, 50, 50])
        ship, other = Ship("A", 18, 2), Ship("B", 18, 2)
        quay.moored = {0: ship, 1: other}
        swap_berths(quay, 0, 1)
        self.assertEqual(quay.moored, {1: ship, 0: other})
        swap_berths(quay, 0, 2)
        self.assertEqual(quay.moored, {1: ship, 2: other})

    def test_pilot(self):
        self.assertEqual(pilot_boat().name, "Petrel")
        self.assertEqual((pilot_boat().length, pilot_boat().draught), (12.0, 1.4))
