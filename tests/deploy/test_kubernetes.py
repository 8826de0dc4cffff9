"""The Kubernetes manifests: valid, in step with each other and with the service, and without a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_hooks.cli.serve import settings_for
from cds_hooks.desk import public_base
from cds_hooks.server import grace_of
from plugin import settings as plugin_settings
from plugin.settings import Settings
from tests.deploy.container import FILE, stages
from tests.require import ROOT, require

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))
OURS = {"app.kubernetes.io/name": "vestige"}


def documents() -> dict[tuple[str, str], Any]:
    found = [one for path in FILES for one in yaml.safe_load_all(path.read_text())]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


ALL = documents()
SPEC = ALL["StatefulSet", "vestige"]["spec"]
POD = SPEC["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_each_is_valid() -> None:
    command = [str(require("kubernetes-validate")), "--strict", *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" passed for resource ") + done.stderr.count(" passed for resource ") == len(ALL)


def test_the_validator_can_refuse(tmp_path: Path) -> None:
    spoilt = tmp_path / "workers.yaml"
    spoilt.write_text((FOLDER / "workers.yaml").read_text().replace("replicas: 2", "replicas: two"))
    done = subprocess.run([str(require("kubernetes-validate")), "--strict", str(spoilt)], capture_output=True)
    assert done.returncode != 0


def test_every_selector_finds_the_workers() -> None:
    assert SPEC["template"]["metadata"]["labels"] == SPEC["selector"]["matchLabels"] == OURS
    assert ALL["Service", "vestige"]["spec"]["selector"] == OURS
    assert ALL["Service", SPEC["serviceName"]]["spec"]["selector"] == OURS
    assert ALL["NetworkPolicy", "vestige"]["spec"]["podSelector"]["matchLabels"] == OURS
    assert ALL["PodDisruptionBudget", "vestige"]["spec"]["selector"]["matchLabels"] == OURS
    assert ALL["PodDisruptionBudget", "vestige"]["spec"]["minAvailable"] < SPEC["replicas"]


def test_the_workers_may_do_little() -> None:
    inner, outer = CONTAINER["securityContext"], POD["securityContext"]
    assert inner["readOnlyRootFilesystem"] is True
    assert inner["allowPrivilegeEscalation"] is False
    assert inner["capabilities"] == {"drop": ["ALL"]}
    assert outer["runAsNonRoot"] is True
    assert outer["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    user = stages(FILE.read_text())[-1].one("USER").text
    assert f"{outer['runAsUser']}:{outer['runAsGroup']}" == user
    assert set(CONTAINER["resources"]) == {"requests", "limits"}
    assert all(set(one) == {"cpu", "memory"} for one in CONTAINER["resources"].values())


def test_a_database_that_is_away_takes_no_worker_out_that_answers() -> None:
    probes = {name: CONTAINER[name]["httpGet"]["path"] for name in CONTAINER if name.endswith("Probe")}
    assert probes == {"startupProbe": "/readyz", "readinessProbe": "/healthz", "livenessProbe": "/healthz"}
    assert Settings().store.on_failure == "spool"
    ports = {one["name"]: one["containerPort"] for one in CONTAINER["ports"]}
    assert all(CONTAINER[name]["httpGet"]["port"] in ports for name in probes)
    assert ports["http"] == int(stages(FILE.read_text())[-1].one("EXPOSE").text)


def test_a_worker_has_the_time_to_end() -> None:
    pause = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    assert POD["terminationGracePeriodSeconds"] >= pause + grace_of(Settings().service) + 10


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings as a worker reads them, with the files of the site."""
    secret = tmp_path / "pseudonym.key"
    secret.write_text("synthetic " * 8)
    text = ALL["ConfigMap", "vestige"]["data"]["vestige.toml"]
    (mounted,) = [one for one in CONTAINER["volumeMounts"] if one["name"] == "secrets"]
    place = f"{mounted['mountPath']}/pseudonym.key"
    assert place in text
    path = tmp_path / "vestige.toml"
    path.write_text(text.replace(place, str(secret)))
    address = "postgresql://someone:planted@database.example/vestige"
    return plugin_settings.load(path, {CONTAINER["env"][0]["name"]: address})


def test_the_settings_can_be_served(settings: Settings) -> None:
    served = settings_for(settings, host="0.0.0.0", port=8000, open_=False, fhir_servers=(), today=None)
    assert public_base(served) == "https://cds.hospital.example"
    assert served.trust.replay_store == "database", "all workers together accept a token once"
    assert served.store.url.startswith("postgresql://"), "one database for all workers"
    (state,) = [one for one in CONTAINER["volumeMounts"] if one["name"] == "state"]
    assert str(served.store.spool).startswith(f"{state['mountPath']}/")
    (claim,) = SPEC["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "state", "what waits for the database outlives the pod"


def test_secrets_are_named_and_not_held() -> None:
    assert not [kind for kind, _ in ALL if kind == "Secret"]
    (url,) = [one for one in CONTAINER["env"] if one["name"] == "VESTIGE_STORE__URL"]
    assert url["valueFrom"]["secretKeyRef"] == {"name": "vestige", "key": "store-url"}
    text = "\n".join(str(one) for one in ALL.values())
    assert "postgresql://" not in text


def test_the_network_lets_through_what_is_named() -> None:
    policy = ALL["NetworkPolicy", "vestige"]["spec"]
    assert sorted(policy["policyTypes"]) == ["Egress", "Ingress"]
    rules = [*policy["ingress"], *policy["egress"]]
    assert all(one.get("ports") and (one.get("from") or one.get("to")) for one in rules)
    assert "0.0.0.0/0" not in str(policy)
