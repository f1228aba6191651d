"""What goes wrong, as a person reads it, and what a terminal may be shown."""

import re
from typing import TextIO

DIFFERENT, NEEDS_A_PERSON = 1, 3
_NOT_FOR_A_TERMINAL = re.compile(r"[^\x20-\x7e\u00a1-\ud7ff\ue000-\uffff]")


class Trouble(Exception):
    """Ends the program with this sentence; nothing was written."""

    def __init__(self, sentence: str, *, status: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def shown(text: str) -> str:
    """One line: what comes from a file or from the network must not steer the terminal."""
    return _NOT_FOR_A_TERMINAL.sub("?", text)


def say(text: str, *, to: TextIO | None = None) -> None:
    print("\n".join(shown(line) for line in text.split("\n")), file=to, flush=True)
