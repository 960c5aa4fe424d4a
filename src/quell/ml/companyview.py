"""A company's own words, prepared for comparison: categories, teams, services, sites and priority texts."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS, Company
from quell.ml.adapter import Adapter
from quell.ml.entities import Gazetteer
from quell.ml.kernel import Collection, Seen, kernel_matrix
from quell.ml.ridge import softmax, solve

ANCHORS: tuple[tuple[str, str], ...] = (
    ("question", "Questions, how-to, advice and explanations; nothing is broken."),
    ("order", "Orders of new equipment, software and licences; purchases, quotes, loans, moves."),
    ("rights", "Accounts, permissions, access rights, people who start, change or leave."),
    ("security", "Security: phishing, viruses, lost or stolen devices, attacks, suspicious mail."),
    ("machine", "One person's own computer: laptop, PC, screen, keyboard, dock, sound, updates, disk full."),
    ("server", "Servers, databases, storage, backups, virtual machines, clusters, monitoring of hosts."),
    ("network", "Network: lines, switches, routers, firewall, wifi, internet, VPN."),
    ("print", "Printers, labels, scanners, toner, paper, print queues."),
    ("login", "Signing in: passwords, locked accounts, single sign-on, second factor."),
    ("mail", "E-mail, calendar, shared mailboxes, distribution lists, meetings."),
    ("phone", "Telephones, headsets, call queues, mobile phones, SIM cards."),
    ("app", "A business application: errors, wrong data, slow screens, interfaces, jobs."),
    ("web", "The public website, web shop, customer portal, API, certificates."),
    ("door", "Doors, badges, cameras, building, meeting rooms, power, cooling."),
)
FIRST_PENALTY, FIRST_HEAT = 0.15, 9.0
CATEGORY_WEIGHT, OTHER_WEIGHT = 2.0, 1.0
SAME_OWNER_FLOOR = 0.02
CARRY_HEAT, SERVICE_HEAT = 14.0, 12.0
_CLAUSE = re.compile(r"[.;:,()]| - ")
CLAUSE_CHARACTERS_MIN = 6

Floats = NDArray[np.float32]
See = Callable[[Sequence[str]], list[Seen]]


@dataclass(frozen=True)
class Options:
    """A set of named choices with their texts, ready to be compared with a message."""

    keys: tuple[str, ...]
    texts: Collection
    clauses: Collection
    clause_of: NDArray[np.int64]

    def best_clause(self, cosines: Floats) -> Floats:
        """The best value among each option's clauses, shape (options,)."""
        best = np.full(len(self.keys), -1.0, np.float32)
        np.maximum.at(best, self.clause_of, cosines)
        return best


class CompanyView:
    """Everything that `fit` prepares once for a company; nothing in it changes afterwards."""

    def __init__(self, company: Company, see: See, centroids: Floats | None, adapter: Adapter | None = None) -> None:
        """`see` prepares texts; `centroids` are the day-0 intents' mean vectors (None without an embedder)."""
        self.company = company
        self.gazetteer = Gazetteer(company)
        self.categories = _options(
            [c.key for c in company.categories], [f"{c.name}. {c.description}" for c in company.categories], see
        )
        self.teams = _options([t.key for t in company.teams], [f"{t.name}. {t.handles}" for t in company.teams], see)
        self.actions = _options(
            [a.key for a in company.actions],
            [f"{a.key.replace('_', ' ')}. {a.description}" for a in company.actions],
            see,
        )
        self.services = {s.key: i for i, s in enumerate(company.services)}
        service_texts = see([f"{s.name}. {s.description} {', '.join(s.aliases)}" for s in company.services])
        self.service_texts = Collection(service_texts)
        self.criticality = np.array([s.criticality for s in company.services] or [4], np.float32)
        team_index = {key: i for i, key in enumerate(self.teams.keys)}
        self.team_of = np.array([team_index.get(c.team or "", -1) for c in company.categories], np.int64)
        self.levels = _levels(company, see)
        category_texts = see([f"{c.name}. {c.description}" for c in company.categories])
        self.anchor_match = _standardised(_cross(category_texts, see([text for _, text in ANCHORS])))
        self.service_to_category = self._carry_services(service_texts)
        self.intent_to_category = self._carry_intents(centroids)
        self._first_guess(category_texts, service_texts, see)
        self.adapter = adapter
        self._sizes = {
            "category": len(self.categories.keys),
            "team": len(self.teams.keys),
            "action": len(company.actions),
        }
        self._turned = {
            options: adapter.text(vectors) if adapter is not None and vectors is not None else None
            for options, vectors in self._texts()
        }
        self.sites = tuple(site.key for site in company.sites)
        self.team_sites = _team_sites(company)

    def adapted(self, options: str, seen: Seen) -> Floats:
        """Cosines of the turned vectors with each category, team or action (`options`); zeros without an embedder."""
        texts = self._turned[options]
        if texts is None or self.adapter is None or seen.vector is None:
            return np.zeros(self._sizes[options], np.float32)
        return np.asarray(texts @ self.adapter.message(seen.vector), np.float32)

    def _texts(self) -> tuple[tuple[str, Floats | None], ...]:
        chosen = (("category", self.categories), ("team", self.teams), ("action", self.actions))
        return tuple((name, options.texts.vectors) for name, options in chosen)

    def first_guess(self, seen: Seen) -> Floats:
        """Chances over categories from the company's own words alone, shape (categories,)."""
        scores = self.first_scores(seen)
        return softmax(scores, FIRST_HEAT).astype(np.float32)

    def first_scores(self, seen: Seen) -> Floats:
        """The ridge scores behind `first_guess`."""
        return np.asarray(self.prototypes.likeness(seen).mixed @ self._coefficients, np.float32)

    def _carry_services(self, service_texts: list[Seen]) -> Floats:
        """For each service, how likely each category is its own: by meaning and by the same owner."""
        count = len(self.categories.keys)
        rows = np.zeros((len(service_texts), count), np.float32)
        team_keys = {key: i for i, key in enumerate(self.teams.keys)}
        for index, (service, seen) in enumerate(zip(self.company.services, service_texts, strict=True)):
            like = self.categories.texts.likeness(seen)
            near = like.vectors if seen.vector is not None else like.mixed
            same = (self.team_of == team_keys.get(service.owner or "", -2)).astype(np.float32) + SAME_OWNER_FLOOR
            weighed = softmax(near, SERVICE_HEAT) * same
            rows[index] = weighed / weighed.sum()
        return rows

    def _carry_intents(self, centroids: Floats | None) -> Floats | None:
        """For each day-0 intent, how likely each of the company's categories means it, shape (intents, categories)."""
        if centroids is None or self.categories.texts.vectors is None or self.categories.clauses.vectors is None:
            return None
        whole = centroids @ self.categories.texts.vectors.T
        pieces = centroids @ self.categories.clauses.vectors.T
        best = np.stack([self.categories.best_clause(row) for row in pieces])
        return softmax(0.5 * whole + 0.5 * best, CARRY_HEAT).astype(np.float32)

    def _first_guess(self, category_texts: list[Seen], service_texts: list[Seen], see: See) -> None:
        count = len(self.categories.keys)
        team_texts = see([f"{t.name}. {t.handles}" for t in self.company.teams])
        rows = [*category_texts, *service_texts, *team_texts]
        targets = np.zeros((len(rows), count))
        targets[:count] = np.eye(count)
        targets[count : count + len(service_texts)] = self.service_to_category
        for index in range(len(team_texts)):
            own = self.team_of == index
            targets[count + len(service_texts) + index] = own / own.sum() if own.any() else 1 / count
        weights = np.full(len(rows), OTHER_WEIGHT)
        weights[:count] = CATEGORY_WEIGHT
        self.prototypes = Collection(rows)
        self.prototype_rows = rows
        self.prototype_targets, self.prototype_weights = targets, weights
        self._coefficients = solve(kernel_matrix(rows), targets, FIRST_PENALTY, weights)


def _options(keys: list[str], texts: list[str], see: See) -> Options:
    clauses, owner = [], []
    for index, text in enumerate(texts):
        for clause in _clauses(text):
            clauses.append(clause)
            owner.append(index)
    return Options(tuple(keys), Collection(see(texts)), Collection(see(clauses)), np.array(owner, np.int64))


def _clauses(text: str) -> list[str]:
    pieces = [piece.strip() for piece in _CLAUSE.split(text)]
    return [piece for piece in pieces if len(piece) >= CLAUSE_CHARACTERS_MIN] or [text]


def _levels(company: Company, see: See) -> Options:
    return _options(list(LEVELS), [company.priorities.get(level, level) for level in LEVELS], see)


def _cross(left: list[Seen], right: list[Seen]) -> Floats:
    others = Collection(right)
    likes = [others.likeness(each) for each in left]
    return np.stack(
        [like.vectors if each.vector is not None else like.mixed for like, each in zip(likes, left, strict=True)]
    )


def _standardised(matrix: Floats) -> Floats:
    spread = matrix.std(axis=0)
    result: Floats = ((matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    return result


def _team_sites(company: Company) -> tuple[frozenset[str], ...]:
    """The sites that each team's own text names."""
    rows = []
    for team in company.teams:
        text = f"{team.name} {team.handles}".lower()
        named = {
            s.key for s in company.sites if any(len(n) > 2 and n.lower() in text for n in (s.name, s.key, *s.aliases))
        }
        words = {w for w in re.findall(r"[\w'’]{4,}", text)}
        named |= {s.key for s in company.sites if words & {w for w in re.findall(r"[\w'’]{5,}", s.name.lower())}}
        rows.append(frozenset(named))
    return tuple(rows)
