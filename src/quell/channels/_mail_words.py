"""What mail programs write above a quoted mail, in the languages that we know: fields, verbs and separators."""

# Names of header fields as they stand in a quoted mail, by what they mean.
FIELDS: dict[str, tuple[str, ...]] = {
    "from": (
        "from", "von", "de", "da", "van", "fra", "från", "od", "lähettäjä", "от", "от кого", "отправитель", "feladó",
        "gönderen", "kimden", "de la", "від", "від кого", "από", "mittente", "expéditeur", "remitente", "remetente",
        "afzender", "avsender", "afsender", "avsändare", "absender", "nadawca", "odesílatel", "差出人", "送信者",
        "发件人", "寄件者", "寄件人", "보낸 사람", "보낸사람", "발신", "từ", "dari",
    ),
    "sent": (
        "sent", "date", "gesendet", "gesendet am", "datum", "envoyé", "envoyé le", "enviado", "enviado el",
        "enviado em", "enviada em", "enviada", "fecha", "data", "inviato", "inviato il", "verzonden", "verzonden op",
        "sendt", "dato",
        "skickat", "skickat den", "lähetetty", "päiväys", "päivämäärä", "wysłano", "wysłane", "odesláno", "отправлено",
        "дата", "elküldve", "küldve", "dátum", "gönderildi", "gönderme tarihi", "tarih", "trimis", "надіслано",
        "στάλθηκε", "ημερομηνία", "送信日時", "日時", "日付", "发送时间", "时间", "日期", "寄件日期",
        "보낸 날짜", "날짜",
        "message du",
    ),
    "to": (
        "to", "an", "à", "a", "para", "per", "aan", "til", "till", "vastaanottaja", "do", "komu", "кому", "címzett",
        "kime", "alıcı", "către", "προς", "destinatario", "destinatário", "destinataire", "宛先", "收件人", "收件者",
        "받는 사람", "받는사람", "수신", "đến", "kepada",
    ),
    "subject": (
        "subject", "betreff", "objet", "sujet", "asunto", "assunto", "oggetto", "onderwerp", "emne", "ämne", "aihe",
        "temat", "předmět", "тема", "tárgy", "konu", "subiect", "θέμα", "件名", "主题", "主旨", "제목",
        "chủ đề", "subjek",
    ),
    "cc": (
        "cc", "kopie", "copie", "copie à", "copia", "kopi", "kopia", "kopio", "dw", "копия", "копія", "抄送", "副本",
        "참조",
    ),
}  # fmt: skip

FIELD_KIND = {word: kind for kind, words in FIELDS.items() for word in words}

# "… wrote:", as the last or a middle word of the line above a quote.
VERBS = (
    "wrote", "writes", "schrieb", "a écrit", "escribió", "escribio", "escreveu", "ha scritto", "scrisse", "schreef",
    "skrev", "kirjoitti", "napisał", "napisała", "napisał(a)", "pisze", "nadesłał", "napsal", "napsal(a)", "napísal",
    "написал", "написала", "написал(а)", "пишет", "писал", "написав", "пише", "írta", "yazdı", "a scris", "έγραψε",
    "写道", "寫道", "のメール", "書きました", "작성", "씀", "đã viết", "menulis", "va escriure", "je napisao",
)  # fmt: skip

# How such a line begins.
LEADS = (
    "on", "am", "le", "el", "em", "il", "in data", "op", "den", "på", "w dniu", "dnia", "dne", "dňa", "ma", "pe",
    "to", "ti", "ke", "la", "în", "v", "tir", "ons", "tor", "fre", "lør", "søn", "man", "mån", "tis", "lör", "sön",
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "lun", "mar", "mer", "gio", "jeu", "ven", "пн", "вт", "ср", "чт",
    "пт", "сб", "вс", "at",
)  # fmt: skip

# Between dashes: a mail that was answered.
ORIGINAL = frozenset({
    "original message", "original appointment", "ursprüngliche nachricht", "originalnachricht", "ursprünglicher termin",
    "message d'origine", "message original", "mensaje original", "mensagem original", "messaggio originale",
    "oorspronkelijk bericht", "oprindelig meddelelse", "oprindelig besked", "opprinnelig melding", "original melding",
    "ursprungligt meddelande", "originalmeddelande", "alkuperäinen viesti", "wiadomość oryginalna",
    "oryginalna wiadomość", "původní zpráva", "исходное сообщение", "оригинальное сообщение", "eredeti üzenet",
    "orijinal ileti", "orijinal mesaj", "mesaj original", "mesajul original", "оригінальне повідомлення", "原始邮件",
    "原始郵件", "元のメッセージ", "원본 메시지", "reply message", "antwort", "reply",
})  # fmt: skip

# Between dashes or alone: a mail that was passed on, whose content is the point.
FORWARDED = frozenset({
    "forwarded message", "begin forwarded message", "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "message transféré", "début du message réexpédié", "début du message transféré", "mensaje reenviado",
    "mensagem encaminhada", "messaggio inoltrato", "inizio messaggio inoltrato", "doorgestuurd bericht",
    "begin doorgestuurd bericht", "videresendt meddelelse", "videresendt melding", "videresendt besked",
    "vidarebefordrat meddelande", "välitetty viesti", "wiadomość przekazana dalej", "przekazana wiadomość",
    "přeposlaná zpráva", "пересылаемое сообщение", "пересланное сообщение", "továbbított üzenet", "iletilen ileti",
    "mesaj redirecționat", "转发的邮件", "轉寄郵件", "転送されたメッセージ", "전달된 메시지",
})  # fmt: skip

# Subject prefixes; "vs" passes on in Danish and answers in Finnish: taken for an answer.
REPLY_PREFIXES = frozenset({
    "re", "aw", "antw", "antwort", "sv", "ref", "res", "rif", "r", "odp", "bls", "ynt", "vá", "vs", "回复", "回覆",
    "答复", "返信", "답장", "отв", "на",
})  # fmt: skip
FORWARD_PREFIXES = frozenset({
    "fw", "fwd", "wg", "tr", "rv", "enc", "i", "inoltro", "doorst", "pd", "пересл", "转发", "轉寄", "転送", "전달",
    "vl", "továbbítás", "ilt", "fyi",
})  # fmt: skip
