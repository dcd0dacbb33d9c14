import unittest

from harbour.signals import blink_seconds, from_morse, read_flags, to_morse


class SignalsTest(unittest.TestCase):
    """Signals as the harbour master expects them."""

    def test_flags(self):
        self.assertEqual(read_flags("aXq"), ["diver below", "healthy"])

    def test_morse(self):
        self.assertEqual(to_morse("sos"), "... --- ...")
        self.assertEqual(to_morse("z"), "?")
        self.assertEqual(from_morse("... --- ..."), "SOS")
        self.assertEqual(from_morse("- ..-"), "T?")

    def test_blink(self):
        self.assertEqual(blink_seconds(". -"), 1.8)
        self.assertEqual(blink_seconds(".", dot=1), 2)
