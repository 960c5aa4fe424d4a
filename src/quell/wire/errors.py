"""The errors of `wire`: a shape that is wrong, a signature that does not fit, an order that must not be obeyed."""


class Malformed(ValueError):
    """Something that is not well formed: `place` names the field, `says` tells a person what is wrong."""

    def __init__(self, place: str, says: str) -> None:
        """Keep the place and the sentence apart, so that a door can list faults."""
        super().__init__(f"{place}: {says}")
        self.place = place
        self.says = says


class Untrusted(Exception):
    """Well formed, but not to be believed or obeyed; `code` is one of the words in docs/guides/agent.md."""

    def __init__(self, code: str, says: str) -> None:
        """Keep the code for machines and the sentence for people."""
        super().__init__(says)
        self.code = code
        self.says = says
