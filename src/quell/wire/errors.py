"""The one error of `wire`: something does not have the shape or the bounds that both sides agreed on."""


class Malformed(ValueError):
    """Something that is not well formed: `place` names the field, `says` tells a person what is wrong."""

    def __init__(self, place: str, says: str) -> None:
        """Keep the place and the sentence apart, so that a door can list faults."""
        super().__init__(f"{place}: {says}")
        self.place = place
        self.says = says
