import unittest

from harbour.tides import (
    PERIOD,
    TideTable,
    hours_to_high_water,
    is_rising,
    rule_of_twelfths,
    water_level,
)


class TidesTest(unittest.TestCase):
    """Tides as the harbour master expects them."""

    def test_levels(self):
        self.assertAlmostEqual(water_level(0), 6.0)
        self.assertAlmostEqual(water_level(PERIOD / 2), 2.0)
        self.assertAlmostEqual(water_level(PERIOD, mean=1, swing=3), 4.0)

    def test_times(self):
        self.assertAlmostEqual(hours_to_high_water(2.42), 10)
        self.assertAlmostEqual(hours_to_high_water(PERIOD + 1), PERIOD - 1)
        self.assertTrue(is_rising(7))
        self.assertFalse(is_rising(PERIOD + 1))

    def test_twelfths(self):
        self.assertEqual(rule_of_twelfths(12), [1, 2, 3, 3, 2, 1])

    def test_table(self):
        table = TideTable({0: 5.0, 3: 8.0, 6: 2.0})
        self.assertEqual(table.highest(), 3)
        self.assertEqual(table.between(3, 6), {3: 8.0, 6: 2.0})
        self.assertEqual(table.smoothed(), {0: 6.5, 3: 5.0, 6: 5.0})
