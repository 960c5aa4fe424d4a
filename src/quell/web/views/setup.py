"""Set-up: the company, the channels with their lights, the people who work here."""

from dataclasses import dataclass

from quell.web.views.signs import Light, Moment


@dataclass(frozen=True)
class ChannelRow:
    """One channel: on with its address, or waiting to be added; `settings` are (key, says, required, secret)."""

    name: str
    title: str
    icon: str
    says: str
    light: Light
    on: bool
    address: str = ""
    settings: tuple[tuple[str, str, bool, bool], ...] = ()


@dataclass(frozen=True)
class Member:
    """One account."""

    name: str
    email: str
    role: str
    since: Moment
    active: bool = True


@dataclass(frozen=True)
class SetupView:
    """The page; `company_counts` is empty until a company file was read."""

    company: str
    company_counts: tuple[tuple[str, int], ...]
    channels: tuple[ChannelRow, ...]
    members: tuple[Member, ...] = ()
    devices: int = 0
