"""What a model reads of a message."""

from quell.ml.text import BODY_CHARACTERS_MAX, bare_subject, readable, visible_body


def test_quotes_and_signatures_are_left_out() -> None:
    assert visible_body("It prints nothing.\n\nOn Monday Ann Ash wrote:\n> hello") == "It prints nothing."
    assert visible_body("Hilfe\n-- \nAnn, Einkauf") == "Hilfe"


def test_a_body_that_is_only_a_quote_stays() -> None:
    assert visible_body("> please read below").endswith("please read below")


def test_reply_marks_are_no_words_of_the_subject() -> None:
    assert bare_subject("Re: AW: Fwd: printer") == "printer"
    assert bare_subject(None) == ""


def test_long_bodies_are_cut() -> None:
    assert len(readable("title", "x" * 9000)) == BODY_CHARACTERS_MAX + len("title\n")
