"""The refusal of a whole delivery: what is wrong, where, and what to do."""

from __future__ import annotations


class RejectedDeliveryError(Exception):
    """A delivery that breaks the contract as a whole; nothing of it is loaded.

    The message may name file, line and column, never a value: values can be personal data.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        # A manifest may name files by half a character, which no output could encode.
        super().__init__(f"{where}: {problem}. {remedy}.".encode("utf-8", "replace").decode())
