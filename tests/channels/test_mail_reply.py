"""What was newly said is told apart from what was quoted, in many languages, and nothing is ever lost."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quell.channels._mail_reply import MARKER, is_forward_subject, is_reply_subject, visible

NEW = "It works again, thank you.\n\nBut the second screen stays black."

ANNOUNCED = {
    "en": "On Mon, Nov 23, 2026 at 9:01 AM IT support <support@quell.example> wrote:",
    "en short": "On 23 Nov 2026, at 09:01, IT support wrote:",
    "de": "Am Mo., 23. Nov. 2026 um 09:01 Uhr schrieb IT support <support@quell.example>:",
    "nl": "Op ma 23 nov 2026 om 09:01 schreef IT support <support@quell.example>:",
    "fr": "Le lun. 23 nov. 2026 à 09:01, IT support <support@quell.example> a écrit :",
    "es": "El lun, 23 nov 2026 a las 9:01, IT support (<support@quell.example>) escribió:",
    "it": "Il giorno lun 23 nov 2026 alle ore 09:01 IT support <support@quell.example> ha scritto:",
    "it old": 'In data 23 novembre 2026 09:01:31 "IT support" <support@quell.example> ha scritto:',
    "pt": "Em seg., 23 de nov. de 2026 às 09:01, IT support <support@quell.example> escreveu:",
    "pl": "pon., 23 lis 2026 o 09:01 IT support <support@quell.example> napisał(a):",
    "pl old": "W dniu 23.11.2026 o 09:01, IT support pisze:",
    "ru": "пн, 23 нояб. 2026 г. в 09:01, IT support <support@quell.example>:",
    "ru old": "23.11.2026 09:01, IT support пишет:",
    "da": "Den man. 23. nov. 2026 kl. 09.01 skrev IT support <support@quell.example>:",
    "sv": "Den mån 23 nov. 2026 kl 09:01 skrev IT support <support@quell.example>:",
    "nb": "man. 23. nov. 2026 kl. 09:01 skrev IT support <support@quell.example>:",
    "fi": "ma 23. marrask. 2026 klo 9.01 IT support (support@quell.example) kirjoitti:",
    "cs": "po 23. 11. 2026 v 9:01 odesílatel IT support <support@quell.example> napsal:",
    "ja": "2026年11月23日(月) 9:01 IT support <support@quell.example>:",
    "zh": "IT support <support@quell.example> 于2026年11月23日周一 09:01写道：",
    "ko": "2026년 11월 23일 (월) 오전 9:01, IT support <support@quell.example>님이 작성:",
    "hu": "IT support <support@quell.example> ezt írta (időpont: 2026. nov. 23., H, 9:01):",
    "tr": "IT support <support@quell.example>, 23 Kas 2026 Pzt, 09:01 tarihinde şunu yazdı:",
    "unknown": "Ku 23/11/2026 09:01 IT support <support@quell.example> yanditse:",
}
OUTLOOK = {
    "en": "From: IT <support@quell.example>\nSent: Monday, November 23, 2026 9:01 AM\nTo: Ann\nSubject: RE: x",
    "en wrapped": "From: IT\n<support@quell.example>\nSent: Monday, November 23, 2026\n9:01 AM\nTo: Ann\nSubject: x",
    "en bold": "*From:* IT support <support@quell.example>\n*Sent:* Monday\n*To:* Ann\n*Subject:* RE: Screen",
    "de": "Von: IT <support@quell.example>\nGesendet: Montag, 23. November 2026\nAn: Ann\nBetreff: AW: Screen",
    "fr": "De : IT support <support@quell.example>\nEnvoyé : lundi 23 novembre 2026 09:01\nÀ : Ann\nObjet : RE: Screen",
    "es": "De: IT support <support@quell.example>\nEnviado el: lunes\nPara: Ann\nAsunto: RE: Screen",
    "it": "Da: IT support <support@quell.example>\nInviato: lunedì\nA: Ann\nOggetto: R: Screen",
    "pt": "De: IT support <support@quell.example>\nEnviada em: segunda-feira\nPara: Ann\nAssunto: RES: Screen",
    "nl": "Van: IT support <support@quell.example>\nVerzonden: maandag\nAan: Ann\nOnderwerp: RE: Screen",
    "pl": "Od: IT support <support@quell.example>\nWysłano: poniedziałek\nDo: Ann\nTemat: RE: Screen",
    "ru": "От: IT support <support@quell.example>\nОтправлено: понедельник\nКому: Ann\nТема: RE: Screen",
    "da": "Fra: IT support <support@quell.example>\nSendt: mandag\nTil: Ann\nEmne: SV: Screen",
    "nb": "Fra: IT support <support@quell.example>\nDato: mandag\nTil: Ann\nEmne: SV: Screen",
    "sv": "Från: IT support <support@quell.example>\nSkickat: måndag\nTill: Ann\nÄmne: SV: Screen",
    "fi": "Lähettäjä: IT support <support@quell.example>\nLähetetty: maanantai\nVastaanottaja: Ann\nAihe: VS: Screen",
    "cs": "Od: IT support <support@quell.example>\nOdesláno: pondělí\nKomu: Ann\nPředmět: RE: Screen",
    "ja": "差出人: IT support <support@quell.example>\n送信日時: 2026年11月23日\n宛先: Ann\n件名: RE: Screen",
    "zh": "发件人: IT support <support@quell.example>\n发送时间: 2026年11月23日\n收件人: Ann\n主题: RE: Screen",
    "ko": "보낸 사람: IT support <support@quell.example>\n보낸 날짜: 2026년\n받는 사람: Ann\n제목: RE: Screen",
    "hotmail": "Date: Mon, 23 Nov 2026 09:01:00\nSubject: Re: x\nFrom: support@quell.example\nTo: ann@client.example",
}
DASHED = ("Original Message", "Ursprüngliche Nachricht", "Message d'origine", "Oprindelig besked", "Исходное сообщение")


@pytest.mark.parametrize("line", ANNOUNCED.values(), ids=ANNOUNCED)
@pytest.mark.parametrize("quote", ["> Try another cable.\n>\n> IT support", "Try another cable.\n\nIT support"])
def test_what_follows_an_announced_quote_is_cut(line: str, quote: str) -> None:
    assert visible(f"{NEW}\n\n{line}\n\n{quote}\n") == NEW


@pytest.mark.parametrize("line", [each for each in ANNOUNCED.values() if "<support" in each])
def test_an_announcement_that_was_wrapped_in_the_address_is_one(line: str) -> None:
    wrapped = line.replace("<support@quell.example>", "<\nsupport@quell.example>")
    assert visible(f"{NEW}\n\n{wrapped}\n\n> Try another cable.\n") == NEW


@pytest.mark.parametrize("block", OUTLOOK.values(), ids=OUTLOOK)
@pytest.mark.parametrize("ruler", ["", "________________________________\n"])
def test_a_block_of_header_fields_begins_the_quote(block: str, ruler: str) -> None:
    assert visible(f"{NEW}\n\n{ruler}{block}\n\nTry another cable.\n\nIT support") == NEW


@pytest.mark.parametrize("words", DASHED)
def test_words_between_dashes_begin_the_quote(words: str) -> None:
    assert visible(f"{NEW}\n\n-----{words}-----\nTry another cable.") == NEW


def test_our_own_marker_works_in_any_language() -> None:
    quoted = f"Ni 23/11 IT said unto me:\n> {MARKER}\n>\n> Try another cable."
    assert visible(f"{NEW}\n\n{quoted}") == NEW


def test_a_quote_without_announcement_at_the_end_is_cut() -> None:
    assert visible(f"{NEW}\n\n> Try another cable.\n> IT support\n") == NEW


def test_an_answer_below_the_quote_is_what_was_said() -> None:
    assert visible(f"On Mon, 23 Nov 2026 at 9:01, IT <s@q.example> wrote:\n> Try another cable.\n\n{NEW}\n") == NEW


@pytest.mark.parametrize(
    "text",
    [
        "Hi,\n\nOn 23 Nov 2026 at 9:01, IT <s@q.example> wrote:\n> Which screen?\nThe left one.\n> Which cable?\nHDMI.",
        "> Which screen?\nThe left one.\n> Which cable?\nHDMI.",
        "See below.\n\nOn 23 Nov 2026 at 9:01, IT <s@q.example> wrote:\n> Which screen?\n\nThe left one.",
    ],
)
def test_answers_between_quotes_show_everything(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "On Mon, Nov 23, 2026 at 9:01 AM IT support <support@quell.example> wrote:\n> Try another cable.",
        "From: a@b.example\nSent: Monday\nTo: Ann\nSubject: x\n\nwords",
        "> only a quote",
    ],
)
def test_when_cutting_leaves_nothing_everything_is_shown(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "FYI\n\n---- Forwarded message ----\nFrom: Bob <b@c.example>\nDate: Mon\nSubject: Down\nTo: Ann\n\nIt is down.",
        "FYI\n\nBegin forwarded message:\n\nFrom: Bob <b@c.example>\nDate: Mon\nSubject: Down\nTo: Ann\n\nIt is down.",
        "Please book:\nFrom: Berlin\nTo: Hamburg\nDate: 3 May",
        "From: what I see, the disk is full.\nTo: be sure I looked twice.",
        "The log says:\n10:15 disk full\nand then:\n10:16 stopped",
        "Please call me at 15:30:\n+49 30 123456",
        "-- \nAnn\nwrote this at 9:01",
        "1 > 0 and\n> is a sign",
    ],
)
def test_what_only_looks_like_a_quote_is_kept(text: str) -> None:
    assert visible(text) == text


def test_a_mail_that_is_passed_on_is_shown_whole() -> None:
    text = f"Can you look?\n\n{OUTLOOK['en']}\n\nThe till is down."
    assert visible(text, is_forward=True) == text


def test_a_loose_announcement_counts_only_in_an_answer() -> None:
    text = "On 23 May 2026 the system wrote:\n\nERROR 17: disk full"
    assert visible(f"Look:\n\n{text}", is_reply=False) == f"Look:\n\n{text}"
    assert visible(f"Look:\n\n{text}", is_reply=True) == "Look:"


@pytest.mark.parametrize("subject", ["Re: x", "RE[2]: x", "AW: x", "SV: x", "Odp: x", "回复：x", "RIF: x", "Vá: x"])
def test_subjects_of_answers_are_known(subject: str) -> None:
    assert is_reply_subject(subject) and not is_forward_subject(subject)


@pytest.mark.parametrize("subject", ["Fwd: x", "FW: x", "WG: x", "TR: x", "RV: x", "转发: x"])
def test_subjects_of_mails_passed_on_are_known(subject: str) -> None:
    assert is_forward_subject(subject) and not is_reply_subject(subject)


@pytest.mark.parametrize("subject", ["Printer", "Report: x", "", "Error 5: x", "a" * 5000])
def test_other_subjects_are_neither(subject: str) -> None:
    assert not is_reply_subject(subject) and not is_forward_subject(subject)


PIECES = st.sampled_from(
    [*ANNOUNCED.values(), *OUTLOOK.values(), "> quoted", ">:", "", "-- ", "words", "wrote:", "From:", MARKER, "_" * 30]
)


@given(st.lists(PIECES | st.text(max_size=40), max_size=30), st.booleans(), st.booleans())
def test_what_is_visible_stood_in_the_mail_and_is_never_nothing(
    pieces: list[str], is_reply: bool, is_forward: bool
) -> None:
    text = "\n".join(pieces)
    seen = visible(text, is_reply, is_forward)
    assert seen in text
    assert bool(seen.strip()) == bool(text.strip())


@pytest.mark.parametrize(
    "piece",
    ["On " + "a " * 500, "From: x\n \n", "CAUTION: mail " * 20, "> " * 400, "a@b:" * 90, "____", "\n", "1:1 a@b\n"],
)
def test_hostile_text_takes_no_time(piece: str) -> None:
    text = piece * (500_000 // len(piece))
    began = time.process_time()
    visible(text)
    assert time.process_time() - began < 2


def test_localised_samples_of_a_real_help_desk_are_cut_where_a_reader_would(shared_data: Path) -> None:
    """Sixteen replies in nine languages, each with the same 498 letters above the quote."""
    folder = shared_data / "payloads" / "email" / "reply_bodies_crisp"
    names = (
        "german", "german_outlook", "french_2", "french_dash_separator", "fr_multiline", "danish_dash_separator",
        "italian", "portuguese", "russian", "norwegian_gmail", "outlook_split_line_from", "gmail_split_line_from",
        "en_multiline_2", "msn", "original_message", "10", "14", "22", "23", "26",
    )  # fmt: skip
    for name in names:
        text = (folder / f"email_{name}.txt").read_text()
        seen = visible(text)
        assert seen.startswith("Fusce bibendum") and seen.endswith("sed odio id arcu varius aliquet nec nec nibh."), (
            name
        )
        assert len(seen) == 498, name
