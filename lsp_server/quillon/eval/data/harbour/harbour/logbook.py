"""The log: what happened, in order."""

import json


class Logbook:
    """Entries of an hour and a text."""

    def __init__(self):
        self.entries = []

    def note(self, hour, text):
        """Write an entry; hours never go back."""
        if self.entries and hour < self.entries[-1][0]:
            raise ValueError("the log cannot go back in time")
        self.entries.append((hour, text))

    def about(self, word):
        """Return the entries whose text has a word, whatever its case."""
        return [entry for entry in self.entries if word.lower() in entry[1].lower()]

    def quiet_hours(self):
        """Return the longest time between two entries, or 0."""
        hours = [hour for hour, _ in self.entries]
        return max((later - earlier for earlier, later in zip(hours, hours[1:])), default=0)

    def dump(self):
        """Write the log as JSON."""
        return json.dumps([{"hour": hour, "text": text} for hour, text in self.entries])


def load_logbook(text):
    """Read what Logbook.dump wrote."""
    log = Logbook()
    for row in json.loads(text):
        log.note(row["hour"], row["text"])
    return log
