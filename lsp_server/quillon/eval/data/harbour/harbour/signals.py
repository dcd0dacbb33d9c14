"""Flags and lights."""

FLAGS = {"A": "diver below", "B": "dangerous goods", "H": "pilot aboard", "Q": "healthy"}
MORSE = {"E": ".", "I": "..", "M": "--", "O": "---", "S": "...", "T": "-"}


def read_flags(letters):
    """Return the meanings of the flags that are known."""
    return [FLAGS[letter] for letter in letters.upper() if letter in FLAGS]


def to_morse(word):
    """Write a word in Morse code, letters apart by blanks; others become a question mark."""
    return " ".join(MORSE.get(letter, "?") for letter in word.upper())


def from_morse(code):
    """Read what to_morse wrote."""
    letters = {sign: letter for letter, sign in MORSE.items()}
    return "".join(letters.get(sign, "?") for sign in code.split())


def blink_seconds(code, dot=0.2):
    """How long a lamp takes for a code: a dash is three dots long, a gap is one."""
    lengths = {".": 1, "-": 3, " ": 2}
    return round(sum(lengths[sign] + 1 for sign in code) * dot, 3)
