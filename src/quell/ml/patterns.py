"""Turns of phrase in seven languages that say what a message is and is not; the models weigh them, none is a rule."""

import re

import numpy as np
from numpy.typing import NDArray

_SOURCES: dict[str, str] = {
    "others_fine": (
        r"\b(others?|else|neighbou?rs?|colleagues?|everyone|rest of (the|us)|next (desk|to me)|other (one|"
        r"pc|laptop|machine|browser|phone|cart|till)s?)\b.{0,40}\b(fine|works?|ok(ay)?|good|no (problem|"
        r"trouble|issue))|\b(works|fine|ok) (for|with|at|on) (him|her|them|others|everyone|my (colleague|"
        r"neighbour)|the other|another)|\b(only|just) (me|mine|my|this one|on (my|this))\b|no ?(one|"
        r"body) else|\b(bei (den )?(anderen|allen|kolleg\w*)|andere\w*)\b.{0,30}\b(geht|gehen|ok|problemlos|"
        r"funktionier)|nur (bei )?(mir|ich|mein)|alleen (ik|mijn|bij mij|deze)|bij (de )?(anderen|"
        r"collega\w*|rest)\b.{0,30}\b(wel|goed|gewoon|werkt)|anderen? (werkt|doen|doet) (het )?wel|"
        r"\b(seulement|juste|que) (moi|chez moi|le mien|mon poste)|chez (les|mes) (autres|"
        r"collègues).{0,30}(marche|ok|va bien)|les autres.{0,20}(marche|ok|fonctionn)|solo (a mí|yo|a mi|"
        r"mi)\b|a los demás|los demás.{0,20}bien|só (eu|o meu|comigo|a mim)|os outros.{0,20}(bem|funciona)|"
        r"bare (meg|hos meg|min)|de andre.{0,20}(fint|ok|virker|går)"
    ),
    "since_days": (
        r"\bsince (last )?(mon|tues|wednes|thurs|fri|satur|sun|yesterday|last|the (update|weekend|week)|"
        r"january|february|march|april|may|june|july|august|september|october|november|december|days|weeks)|"
        r"for (two|three|four|some|several|a few|\d+) (days|weeks)|\b(days|weeks) (now|ago)|seit (gestern|"
        r"montag|dienstag|mittwoch|donnerstag|freitag|tagen|wochen|letzter|dem update)|sinds (gisteren|"
        r"maandag|dinsdag|woensdag|donderdag|vrijdag|vorige|een week|dagen|de update)|depuis (hier|lundi|"
        r"mardi|mercredi|jeudi|vendredi|des jours|\d+ jours|la (semaine|mise))|desde (ayer|ontem|el lunes|"
        r"hace|segunda|terça|quarta|quinta|sexta|há|a semana|la semana)|siden (i går|mandag|tirsdag|onsdag|"
        r"torsdag|fredag|forrige)|third (day|time)|every (day|morning|time)|as usual|again this (week|"
        r"morning)"
    ),
    "just_now": (
        r"\b(just now|right now|a (minute|moment) ago|since (about )?(\d{1,2}[:.h]\d{2}|ten|five|a quarter|"
        r"half|this morning|noon|lunch)|suddenly|just (stopped|froze|died|went|dropped)|all of a sudden|"
        r"\d+ min(ute)?s? ago|at the moment)|gerade (eben)?|plötzlich|seit (heute|ein paar minuten|"
        r"\d{1,2} ?uhr)|zojuist|opeens|plotseling|net (uitgevallen|weg)|sinds (vanmorgen|vanochtend|net|"
        r"\d{1,2}[:.u])|tout (à coup|d'un coup)|à l'instant|depuis (ce matin|\d{1,2} ?h|\d+ min)|de repente|"
        r"ahora mismo|agora mesmo|desde (esta mañana|hoje|las \d)|plutselig|akkurat nå|nettopp"
    ),
    "at_home": (
        r"\b(at|from|working from) home\b|home ?office|wfh\b|my (home|own) (wifi|wi-fi|router|internet|"
        r"network)|\bhotel\b|on the train|von zu ?hause|im home|\bthuis\w*|chez moi|télétravail|à la maison|"
        r"en casa|desde casa|teletrabajo|em casa|de casa|hjemme(fra|kontor)?"
    ),
    "staging": (
        r"\b(staging|stage env|test (env|environment|system|server|instance|api|cluster)|sandbox|uat|"
        r"pre-?prod\w*|dev (env|server|cluster|box)|testomgeving|testsystem|testumgebung|acceptatie|recette|"
        r"preproducci[oó]n|homologa\w+|testmilj[øo])\b"
    ),
    "other_thing": (
        r"\b(other|another|different|separate|second|unrelated|one more) (thing|question|matter|topic|issue|"
        r"problem|subject)|something else|by the way|\bbtw\b|while (i have|i'm|you|we)|(nog|iets) (iets|"
        r"anders)|andere frage|noch (etwas|was)|etwas anderes|autre chose|au fait|otra cosa|por cierto|"
        r"outra coisa|aliás|en annen (ting|sak)|forresten|not (the )?(same|related)|nothing to do with"
    ),
    "unrelated": (
        r"\b(un ?related|not (related|connected|the same|because of|due to|about|from) |nothing to do with|"
        r"separate(ly)? from|(aside|apart) from|besides the|other than the|(before|even before|way before|"
        r"long before) (all )?(this|that|the)|(it'?s|its|is|this is) not (the|that|this|because)|"
        r"different (from|to) the|hat nichts (mit|damit) zu tun|unabhängig (von|davon)|nicht (wegen|"
        r"das gleiche)|schon (vorher|länger|immer)|los van|staat los|niet (door|vanwege)|heeft niets (met|"
        r"te maken)|al (eerder|langer)|rien à voir|sans rapport|pas (lié|à cause)|déjà avant|à part ça|"
        r"nada que ver|sin relación|aparte de|no es por|nada a ver|sem relação|não é (por|o mesmo)|"
        r"fora isso|ikke (på grunn av|det samme|relatert)|uavhengig av|niezależnie od|nie (przez|"
        r"z powodu))\b"
    ),
    "asks_after": (
        r"\b(exact times?|begin and end|how long (was|did|were)|how many (were|did)|root cause|post ?mortem|"
        r"written (cause|expl\w*)|for (my|the|our) (report|board|audit|file|records|log|boss|manager|sheet|"
        r"minutes)|compensation|credit from|who decides|in general|list of (all )?(outages|incidents)|"
        r"what (was|happened|caused)|why did|how could|lessons|explain to|für (den|meinen|unseren) (bericht|"
        r"vorstand)|ursache|wie lange war|voor (het|mijn|de) (verslag|bestuur|audit)|oorzaak|pour (le|mon|"
        r"notre) (rapport|direction|audit)|cause exacte|para (el|mi) informe|qué (pasó|causó)|"
        r"para o (meu )?relatório|o que (houve|causou)|for rapporten|årsak\w*)\b"
    ),
    "single_case": (
        r"\b(only|just) (this|that|the) (one|single)|\b(one|a single|1) (customer|player|client|guest|"
        r"patient|user|merchant|student|parent|device|card|order|invoice|ticket|file|page|report|seat|"
        r"machine|camera|printer|tablet)\b|\b(others?|rest|all other \w+) (are|is|work|works|go) (fine|ok|"
        r"okay|well|good)|\bonly (on|in|with|for|from) (this|that|one|my)|nur (bei )?(diese[rmns]?|"
        r"eine[rmn]?)|alleen (deze|dit|bij)|slechts één|seulement (celui|cette|ce)|une seule?|un seul|"
        r"sólo (este|esta|un)|só (este|esta|um)|bare (denne|dette|én|ett)|tylko (ten|ta|to|jeden|u mnie)"
    ),
    "own_cause": (
        r"\b(cable|plug|unplugged|kabel|câble|cabo|stecker|stekker|flight mode|airplane mode|flugmodus|"
        r"vliegtuigstand|mode avion|modo avi[oó]n|flymodus|coffee|koffie|kaffee|café|tea|water|spilled|"
        r"spilt|dropped|fell|gevallen|runtergefallen|tomb[ée]|caps ?lock|battery (empty|dead|flat)|akku|"
        r"batterie vide|my (own )?fault|i (clicked|deleted|changed|moved|uninstalled|spilled|dropped|forgot|"
        r"lost)|ich habe|per ongeluk|par erreur|sin querer|sem querer|ved et uhell|by accident|accidentally|"
        r"mistyped|wrong password)\b"
    ),
    "asks_outage": (
        r"\b(is|are|was|were|did)\b.{0,30}\b(outage|down|disruption|problem|disturbance|offline|"
        r"trouble)\b.{0,60}\?|anyone (else)?\b|is it (just|only) me|known (issue|problem|outage)|störung\?|"
        r"gibt es (eine|gerade)|is er (een )?(storing|iets)|y a-t-il|une panne \?|hay (algún|un) problema|"
        r"algum problema|noen andre|flere som"
    ),
    "many": (
        r"\b(all of us|everyone|everybody|nobody|no ?one|the (whole|entire)|all (the )?(users|staff|stores|"
        r"sites|people|phones|tills|screens|wards|pcs|laptops|depots|shops|desks)|several (people|"
        r"colleagues|users|of us)|many (people|users)|(we|us) (all|are all)|(two|three|four|five|six|seven|"
        r"eight|nine|ten|\d+) (people|of us|colleagues|users|calls|pcs|laptops|customers|stores|shops)|"
        r"whole (team|department|floor|office|building|site|ward|desk)|alle\b|iedereen|niemand|"
        r"hele (afdeling|team|verdieping|winkel)|niemand|ganze\w*|keiner|tout le monde|personne ne|toute l|"
        r"tous (les|nos)|nadie|todos|toda (la|a)|ninguém|ingen|hele (huset|etasjen|avdelingen))\b|"
        r"\d+ ?\+ ?(calls|users|people)"
    ),
    "workaround": (
        r"\b(work(ing)? ?around|for now|meanwhile|in the meantime|instead|another (one|computer|laptop|"
        r"printer|way|till)|by (hand|phone|paper)|on paper|manually|tether\w*|hotspot|can (still )?work|"
        r"no (panic|rush|hurry)|solange|inzwischen|vorerst|zwischenzeit|papier|intussen|ondertussen|"
        r"voorlopig|omweg|en attendant|entretemps|mientras tanto|de momento|a mano|enquanto|por enquanto|"
        r"à mão|i mellomtiden|så lenge|for hånd)\b"
    ),
    "safety": (
        r"\b(patients?|patiënt\w*|safety|unsafe|danger\w*|emergency|alarm|fire|smoke|burn(t|ing|s)?|"
        r"injur\w+|ambulance|theatre|icu|medication|oxygen|gevaar\w*|nood\w*|brand|rook|gefahr|notfall|"
        r"feuer|rauch|sicherheit|danger|urgence|incendie|fumée|peligro|emergencia|fuego|humo|perigo|"
        r"incêndio|fare|nød\w*|brann|røyk|chemical|gas leak|child\w*)\b"
    ),
    "ask": (
        r"\b(please|could (you|someone|i|we)|can (you|someone|i|we)|would (you|like)|i need|we need|may i|"
        r"request\w*|bitte|könnt\w*|kannst|brauche|alstublieft|graag|kunnen|kun je|kunt|s'il vous|svp|"
        r"merci de|pouvez|pourriez|j'aimerais|besoin|por favor|podr[íi]a\w*|puede\w*|necesito|poderia\w*|"
        r"preciso|gostaria|vennligst|kan (du|dere|jeg|vi)|trenger|ønsker)\b"
    ),
    "auto_reply": (
        r"\b(out of (the )?office|automatic reply|auto-?reply|autoreply|abwesenheit\w*|automatische antwort|"
        r"nicht im (haus|büro)|automatisch antwoord|afwezig\w*|réponse automatique|absent(e)? (du bureau|"
        r"jusqu)|respuesta automática|fuera de (la )?oficina|resposta automática|ausente|fraværsmelding|"
        r"autosvar|(on|annual|maternity) leave|back (on|at work)|read my mail|i am away|undeliverable|"
        r"delivery (status|failed)|verlof|urlaub|vacances|vacaciones|férias|ferie)\b"
    ),
    "bulk": (
        r"\b(unsubscribe|newsletter|webinar|white ?paper|register (now|before|today)|early ?bird|"
        r"special offer|discount|% off|sponsor\w*|view (this|in) (e-?mail|browser)|free trial|demo call|"
        r"sales|download our|click here|abmelden|nieuwsbrief|uitschrijven|aanbieding|désabonner|désinscrire|"
        r"offre|promotion|newsletter|darse de baja|oferta|cancelar (a )?(inscrição|subscri)|avmeld|tilbud|"
        r"nyhetsbrev|limited seats|your parcel|pakket|colis|gewonnen|winner|prize|invoice attached|"
        r"15 minutes|quick call|i noticed (that )?(hospitals|companies|your))\b"
    ),
    "social": (
        r"🎂|🎉|❤|😂|🍰|☕|👏|\b(cake|birthday|party|congrat\w*|lunch|pizza|drinks|weekend|lost and found|parking|"
        r"for sale|carpool|wrong channel|taart|kuchen|gâteau|anniversaire|tarta|cumplea\w*|bolo|aniversário|"
        r"kake|bursdag|gratulerer|coffee (machine|corner)|happy|funny|lol|haha|enjoy|welcome to|sweepstake|"
        r"quiz|football|match tonight)\b"
    ),
    "thanks": (
        r"\b(thanks?|thx|ty|cheers|thank you|danke\w*|dank(je|u)?( ?wel)?|bedankt|merci|gracias|obrigad[oa]|"
        r"takk|tusen takk|great (job|work|service)|well done|you('re| are) (great|the best)|appreciate|top!|"
        r"super!|perfect)\b|👍|🙏|❤"
    ),
    "late": (
        r"\b(this morning|earlier (today|this)|yesterday|last night|works? (again|now|fine now)|"
        r"working again|back (up|now|again)|was (down|gone|slow|out|broken)|had been|it is over|"
        r"fixed (itself|now)|heute (morgen|früh)|gestern|geht wieder|läuft wieder|war (weg|down)|vanmorgen|"
        r"vanochtend|gisteren|werkt weer|doet het weer|was (weg|stuk)|ce matin|hier|remarche|est revenu|"
        r"refonctionne|esta mañana|ayer|ya funciona|esta manhã|ontem|já funciona|voltou|i morges|i går|"
        r"virker igjen|oppe igjen)\b"
    ),
    "one_thing": (
        r"\b(my|mijn|mein\w*|mon|ma|mi|meu|minha|min|mitt)\b.{0,20}\b(laptop|pc|phone|screen|monitor|mouse|"
        r"keyboard|headset|printer|tablet|badge|account|password|desk|outlook|telefoon|scherm|muis|"
        r"toetsenbord|rechner|bildschirm|maus|tastatur|drucker|handy|ordinateur|portable|écran|souris|"
        r"clavier|imprimante|téléphone|ordenador|pantalla|ratón|teclado|impresora|móvil|portátil|computador|"
        r"tela|rato|impressora|telemóvel|skjerm|mus|tastatur|skriver|telefon)|\b(bed|room|desk|till|cart|"
        r"table|bay|printer|lane|gate|seat|kamer|zimmer|salle|sala|rom|caisse|kassa|kasse) ?(no\.? ?|"
        r"nr\.? ?|#)?\d+"
    ),
    "wish": (
        r"\b(would (like|love|be nice)|i'd (like|love)|could we (get|have)|can i (get|have)|order|"
        r"new (starter|employee|colleague|laptop|phone|screen|monitor|account|joiner|hire)s?|install|"
        r"access to|permission\w*|rights|licen[cs]e|quote|extra|second (screen|monitor)|replace(ment)?|move|"
        r"bestell\w*|nieuwe (medewerker|collega|laptop)|toegang|rechten|zugriff|berechtigung\w*|"
        r"neue[rn]? (mitarbeiter\w*|laptop|kolleg\w*)|zugang|commande\w*|accès|droits|nouve(au|l|lle) \w+|"
        r"acceso|permisos|nuev[oa] \w+|acesso|permiss\w+|nov[oa] \w+|tilgang|rettigheter|ny(e|tt)? (ansatt|"
        r"medarbeider|pc|laptop|skjerm)|bestille|set up|create|add me|borrow|loan)\b"
    ),
    "done": (
        r"\b(solved|resolved|fixed|done|never ?mind|forget it|works now|it works|found it|closed|replaced|"
        r"restored|back to normal|erledigt|gelöst|hat sich|opgelost|gevonden|laat maar|gefixt|résolu|"
        r"c'est bon|réglé|trouvé|resuelto|solucionado|arreglado|resolvido|encontrei|løst|ordnet|fant)\b"
    ),
    "deadline": (
        r"\b(today|tonight|tomorrow|before (noon|monday|tuesday|wednesday|thursday|friday|\d)|by (noon|"
        r"monday|tuesday|wednesday|thursday|friday|tomorrow|tonight|\d{1,2})|deadline|in (an|one|two|"
        r"half an|\d+) ?(hours?|min\w*)|asap|urgent\w*|immediately|at once|heute|morgen|bis (mittag|montag|"
        r"freitag|\d)|dringend|sofort|vandaag|vanavond|vóór|spoed|dringend|meteen|aujourd'hui|demain|avant|"
        r"urgent\w*|tout de suite|hoy|mañana|antes de|urgente|hoje|amanhã|i dag|i morgen|innen|haster|"
        r"right away)\b"
    ),
    "attack": (
        r"\b(phish\w*|hack\w*|virus|malware|ransom\w*|suspicious|scam|spam|fraud|fake|gave (away )?(my|"
        r"the) password|clicked (on )?(a|the|it)|opened (the|an) attachment|verdächtig\w*|gefälscht|"
        r"verdacht\w*|oplichting|nep|suspect\w*|hameçonnage|arnaque|frauduleu\w*|sospechos\w*|estafa|"
        r"suspeit\w*|golpe|fraude|mistenkelig|svindel|stolen|lost (my )?(phone|laptop|badge|device)|"
        r"gestohlen|gestolen|volé|robad\w*|roubad\w*|stjålet|strange (mail|e-mail|login|sign-in)|intrusion|"
        r"breach|brute ?force)\b"
    ),
    "question": (
        r"\?|\b(how (do|can|to|long|much)|what (is|are|does)|where (is|are|can|do|did)|who (is|can|do|has|"
        r"knows)|which|when (will|is|are|do)|why|is it (possible|allowed)|hoe |waar |wie |wanneer |waarom |"
        r"mag ik|wie kann|wo (ist|finde|kann)|wer |wann |warum |comment |où |qui |quand |pourquoi |cómo |"
        r"dónde |quién |cuándo |por qué|como (faço|posso)|onde |quem |quando |hvordan |hvor |hvem |når )"
    ),
    "test_notice": (
        r"\b(test (page|alert|message|notification)|testalert|notificationpathtest|weekly (test|on-call)|"
        r"watchdog|maintenance|patching|planned work|scheduled|wartung|onderhoud|travaux|mantenimiento|"
        r"manutenção|vedlikehold|nothing to do|please ignore|probealarm|heartbeat|drill|proef|fyi|"
        r"for the record|reminder)\b"
    ),
}

PATTERNS: dict[str, re.Pattern[str]] = {name: re.compile(source, re.IGNORECASE) for name, source in _SOURCES.items()}
NAMES: tuple[str, ...] = tuple(PATTERNS)


def hits(text: str) -> NDArray[np.float32]:
    """One 0 or 1 for each pattern, in the order of NAMES."""
    return np.array([pattern.search(text) is not None for pattern in PATTERNS.values()], np.float32)
