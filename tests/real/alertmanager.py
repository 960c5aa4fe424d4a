"""A real Prometheus and Alertmanager: an alert that fires while a watched address is down, told to our webhook."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.programs import folder, free_port, need, running

FIRES_S_MAX = 40.0


@dataclass(frozen=True)
class Watched:
    """What Prometheus watches: it fires `TargetDown` while nobody answers on `probe_port`."""

    probe_port: int
    prometheus_url: str
    alertmanager_url: str


@contextmanager
def alertmanager(webhook_url: str, token: str = "", labels: str = "severity: warning") -> Iterator[Watched]:
    """Both programs on free ports; every alert is told to the webhook, grouped by its name."""
    prometheus, manager = need("prometheus"), need("prometheus-alertmanager")
    with folder("alertmanager") as home:
        probe, prometheus_port, manager_port = free_port(), free_port(), free_port()
        (home / "am.yml").write_text(_manager(webhook_url, token))
        (home / "rules.yml").write_text(_rules(labels))
        (home / "prometheus.yml").write_text(_prometheus(home, probe, manager_port))
        at = f"--web.listen-address=127.0.0.1:{manager_port}"
        command = [manager, f"--config.file={home}/am.yml", f"--storage.path={home}/am", at]
        with running([*command, "--cluster.listen-address="], manager_port, home / "am.log"):
            at = f"--web.listen-address=127.0.0.1:{prometheus_port}"
            command = [prometheus, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb", at]
            with running(command, prometheus_port, home / "prometheus.log"):
                yield Watched(probe, f"http://127.0.0.1:{prometheus_port}", f"http://127.0.0.1:{manager_port}")


def _manager(webhook_url: str, token: str) -> str:
    secret = (
        f"""
    http_config:
      authorization:
        credentials: {token}"""
        if token
        else ""
    )
    return f"""
route:
  receiver: quell
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: quell
  webhook_configs:
  - url: {webhook_url}
    send_resolved: true{secret}
"""


def _rules(labels: str) -> str:
    return f"""
groups:
- name: quell
  interval: 1s
  rules:
  - alert: TargetDown
    expr: up{{job="probe"}} == 0
    labels: {{ {labels} }}
    annotations:
      summary: '{{{{ $labels.instance }}}} is down'
      description: 'Nobody answers on {{{{ $labels.instance }}}}.'
"""


def _prometheus(home: Path, probe: int, manager_port: int) -> str:
    return f"""
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files: [{home}/rules.yml]
alerting:
  alertmanagers:
  - static_configs:
    - targets: ['127.0.0.1:{manager_port}']
scrape_configs:
- job_name: probe
  static_configs:
  - targets: ['127.0.0.1:{probe}']
    labels: {{ host: till-07, site: lab }}
"""
