"""What every channel keeps to, ours and anybody else's: it refuses, it never breaks, and it is documented."""

import importlib
import json
import string
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quell.core.errors import Refused
from quell.core.incoming import Hook, Incoming, Receipt
from quell.seams import Channel, Setting, find
from tests.channels.samples import NOW, SETTINGS, Sample, again, check_storable, samples

ROOT = Path(__file__).parents[2]
CHANNELS = find("quell.channels", "CHANNEL", Channel)  # type: ignore[type-abstract]
SAMPLES = samples()
DOCS = ROOT / "docs" / "reference" / "channels.md"

every_channel = pytest.mark.parametrize("channel", CHANNELS.values(), ids=list(CHANNELS))
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=[each.channel for each in SAMPLES])

JUNK = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def accepted(channel: Channel, sample: Sample) -> tuple[Incoming, ...]:
    """What is read when the delivery was accepted; nothing when it was refused, which must be the caller's fault."""
    try:
        receipt = channel.verify(sample.hook, sample.settings, NOW)
    except Refused as refused:
        assert 400 <= refused.status < 500 and refused.says
        return ()
    assert isinstance(receipt, Receipt) and 200 <= receipt.status < 300
    heard = channel.read(sample.hook, sample.settings)
    for each in heard:
        check_storable(each)
    return heard


def test_the_channels_of_the_first_day_are_there() -> None:
    """Found by looking into the folder, under the names that addresses use."""
    assert {"portal", "alertmanager", "email", "slack", "device_agent"} <= set(CHANNELS)


@every_channel
def test_its_name_is_its_files_and_fit_for_an_address(channel: Channel) -> None:
    """`/hooks/{channel}/{key}` and `quell channel add NAME` use it as it is."""
    assert set(channel.name) <= set(string.ascii_lowercase + string.digits + "_-")
    file = importlib.import_module(f"quell.channels.{channel.name.replace('-', '_')}")
    assert file.CHANNEL is channel


@every_channel
def test_its_settings_are_named_once_and_documented(channel: Channel) -> None:
    """Each stands in the reference, in the channel's own section."""
    section = DOCS.read_text().partition(f"\n## `{channel.name}`\n")[2].partition("\n## ")[0]
    assert section, f"docs/reference/channels.md has no section `{channel.name}`"
    keys = [each.key for each in channel.settings]
    assert len(keys) == len(set(keys))
    for each in channel.settings:
        assert isinstance(each, Setting) and each.says.endswith(".")
        assert f"`{each.key}`" in section, f"{channel.name}: the setting {each.key} is not documented"


@every_channel
def test_there_is_a_sample_of_it(channel: Channel) -> None:
    """A channel that cannot be shown working is not done."""
    assert any(each.channel == channel.name for each in SAMPLES)


@every_sample
def test_it_reads_its_sample_the_same_twice(sample: Sample) -> None:
    """`verify` and `read` are pure: no clock, no chance, no memory."""
    channel = CHANNELS[sample.channel]
    first, second = accepted(channel, sample), accepted(channel, sample)
    assert first == second and first
    assert channel.verify(sample.hook, sample.settings, NOW).source_key


@every_channel
@slow
@given(body=st.binary(max_size=300), headers=st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=4))
def test_it_refuses_junk_and_only_refuses(channel: Channel, body: bytes, headers: Mapping[str, str]) -> None:
    """Any bytes with any headers: refused with a 4xx, or read without a fault."""
    accepted(channel, Sample(channel.name, Hook(body, headers), SETTINGS[channel.name]))


@every_sample
@slow
@given(data=st.data())
def test_it_reads_a_spoilt_sample_without_breaking(sample: Sample, data: st.DataObject) -> None:
    """Fields lost, exchanged for anything, or bytes torn: never another error than a refusal."""
    raw = sample.hook.body
    body = spoilt_json(json.loads(raw), data) if raw.startswith(b"{") else spoilt_bytes(raw, data)
    accepted(CHANNELS[sample.channel], again(sample, body))


def spoilt_json(value: object, data: st.DataObject) -> bytes:
    """The same JSON with one to three places lost or replaced by anything."""
    for _ in range(data.draw(st.integers(1, 3))):
        places = places_in(value)
        if not places:
            break
        holder, key = data.draw(st.sampled_from(places))
        if data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(JUNK)
    return json.dumps(value).encode()


def places_in(value: object) -> list[tuple]:
    """(holder, key) of every value inside."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [(value, key) for key, _ in pairs]
    for holder, key in list(found):
        found += places_in(holder[key])
    return found


def spoilt_bytes(raw: bytes, data: st.DataObject) -> bytes:
    """The same bytes with a piece torn out or put in."""
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))
    return raw[:start] + data.draw(st.binary(max_size=20)) + raw[end:]
