import unittest

from harbour.logbook import Logbook, load_logbook


class LogbookTest(unittest.TestCase):
    """Logbook as the harbour master expects them."""

    def test_notes(self):
        log = Logbook()
        self.assertEqual(log.quiet_hours(), 0)
        log.note(1, "Fog")
        log.note(2, "fog lifts")
        log.note(9, "Vesta arrives")
        self.assertRaises(ValueError, log.note, 3, "late")
        self.assertEqual(log.about("FOG"), [(1, "Fog"), (2, "fog lifts")])
        self.assertEqual(log.quiet_hours(), 7)

    def test_load(self):
        log = Logbook()
        log.note(4, "Fog")
        self.assertEqual(log.dump(), '[{"hour": 4, "text": "Fog"}]')
        self.assertEqual(load_logbook(log.dump()).entries, [(4, "Fog")])
