import unittest

from harbour.berths import Quay
from harbour.office.report import berth_line, daily_report, initials
from harbour.ships import Ship


class ReportTest(unittest.TestCase):
    """Report as the harbour master expects them."""

    def test_lines(self):
        self.assertEqual(berth_line(3, None), " 3 free")
        self.assertEqual(berth_line(3, Ship("Ada", 12.0, 1)), " 3 Ada (12 m)")

    def test_report(self):
        quay = Quay([20, 30])
        quay.moor(Ship("Ada", 10, 1))
        self.assertEqual(daily_report(quay, 5), " 0 Ada (10 m)\n 1 free\nowed 12.00")

    def test_initials(self):
        self.assertEqual(initials("queen of hearts"), "QOH")
