import unittest

from harbour.ships import MissingCargo, Ship, fits_channel, heaviest_ship, parse_manifest


class ShipsTest(unittest.TestCase):
    """Ships as the harbour master expects them."""

    def test_cargo(self):
        ship = Ship("Vesta", 40, 3.2, {"coal": 30, "tin": 5})
        self.assertTrue(ship.is_laden())
        self.assertEqual(ship.tonnage(), 35)
        self.assertEqual(ship.unload("coal"), 30)
        self.assertEqual(ship.cargo, {"tin": 5})
        self.assertRaises(MissingCargo, ship.unload, "wool")
        self.assertFalse(Ship("Ada", 10, 1, {"coal": 0}).is_laden())

    def test_heaviest(self):
        ships = [Ship("A", 1, 1, {"x": 2}), Ship("B", 9, 1, {"x": 3, "y": 4}), Ship("C", 5, 1)]
        self.assertEqual(heaviest_ship(ships).name, "B")
        self.assertIsNone(heaviest_ship([]))

    def test_manifest(self):
        self.assertEqual(parse_manifest("coal: 120\nremark\n tin : 3.5 "), {"coal": 120, "tin": 3.5})

    def test_channel(self):
        self.assertTrue(fits_channel(Ship("A", 1, 3.0), 4))
        self.assertFalse(fits_channel(Ship("A", 1, 3.95), 4))
        self.assertFalse(fits_channel(Ship("A", 1, 9.6), 20))
