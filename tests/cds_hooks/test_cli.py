"""The command as a person runs it: what is printed, and the exit code."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests

from cds_hooks.cli import main
from fhir_profiles import samples

PACKAGED = Path(__file__).parents[2] / "rules" / "crlm"
TODAY = "2026-11-21"
COMMAND = [sys.executable, "-c", "from cds_hooks.cli import main; main()"]


def vestige(*arguments: str | Path, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in this process: what it prints and its exit code are those of the real one."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    argv = ["vestige", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict(os.environ, {"COLUMNS": "80", **env}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(cwd or Path.cwd()),
        pytest.raises(SystemExit) as ended,
    ):
        main()
        raise SystemExit(0)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(argv, ended.value.code or 0, *texts)


def process(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command as a process of its own."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120
    )


def complaint(run: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Checks for one line on standard error with these words, this exit code, and no traceback."""
    assert run.returncode == code, run.stdout + run.stderr
    (line,) = run.stderr.strip().splitlines()
    for word in words:
        assert word in line
    assert "Traceback" not in run.stdout + run.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("samples")
    run = vestige("samples", "export", made, "--today", TODAY)
    assert run.returncode == 0, run.stderr
    return made


def test_version_and_help() -> None:
    assert re.fullmatch(r"vestige \d+\.\d+\.\d+\n", vestige("--version").stdout)
    run = vestige("--help")
    assert run.returncode == 0
    for command in ("serve", "demo", "assess", "samples", "rules", "config"):
        assert command in run.stdout


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "many"], ["assess"], ["samples", "export"]]
)
def test_wrong_arguments_are_2(arguments: list[str]) -> None:
    run = vestige(*arguments)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


def test_samples(folder: Path) -> None:
    names = samples.names()
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}{ending}" for name in names for ending in (".json", ".hook.json")
    )
    listed = json.loads(vestige("samples", "list", "--json").stdout)
    assert [one["name"] for one in listed] == list(names)
    text = vestige("samples", "list").stdout
    assert all(name in text for name in names)
    assert max(map(len, text.splitlines())) <= 80
    bundle = json.loads((folder / f"{names[0]}.json").read_text())
    assert bundle == samples.sample(names[0], __import__("datetime").date.fromisoformat(TODAY)).bundle


def test_samples_export_to_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    complaint(vestige("samples", "export", tmp_path / "file" / "sub"), 2, "cannot be written")


@pytest.mark.parametrize("arguments", [["--today", "yesterday"], ["--today", "2026-02-30"]])
def test_a_date_that_is_none(folder: Path, arguments: list[str]) -> None:
    complaint(vestige("assess", folder / "nothing-to-say.json", *arguments), 2, "is no date")


# assess


@pytest.mark.parametrize("name", samples.names())
def test_assess_json(folder: Path, name: str) -> None:
    context = json.loads((folder / f"{name}.hook.json").read_text())
    run = vestige(
        "assess",
        folder / f"{name}.json",
        "--hook",
        context["hook"],
        "--context",
        folder / f"{name}.hook.json",
        "--today",
        TODAY,
        "--json",
    )
    assert run.returncode in (0, 1), run.stderr
    document = json.loads(run.stdout)
    expected = samples.sample(name).expected
    assert {lesion["label"]: lesion["status"] for lesion in document["lesions"]} == expected["lesions"]
    assert run.stderr == ""


@pytest.mark.parametrize("name", samples.names())
def test_assess_for_people_fits_80_columns(folder: Path, name: str) -> None:
    run = vestige(
        "assess", folder / f"{name}.json", "--context", folder / f"{name}.hook.json", "--today", TODAY
    )
    assert run.returncode in (0, 1), run.stderr
    assert max(map(len, run.stdout.splitlines())) <= 80
    for label, status in samples.sample(name).expected["lesions"].items():
        assert label in run.stdout
        assert status in run.stdout


def test_assess_refuses_what_it_cannot_use(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"resourceType": "Bundle", ')
    patient = folder / "nothing-to-say.json"
    complaint(vestige("assess", tmp_path / "missing.json"), 2, "missing.json", "cannot be read")
    complaint(vestige("assess", broken), 2, "broken.json", "no valid JSON")
    complaint(vestige("assess", patient, "--hook", "no-such-hook"), 2, "no-such-hook", "patient-view")
    complaint(vestige("assess", patient, "--context", broken), 2, "broken.json")
    complaint(
        vestige("assess", *[folder / f"{name}.json" for name in samples.names()[:2]]), 2, "several patients"
    )
    complaint(vestige("assess", patient, "--config", tmp_path / "none.toml"), 2, "none.toml")


def test_assess_of_nothing_decidable_is_1(tmp_path: Path) -> None:
    """A record whose next page is missing decides nothing, and says so."""
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": "https://ehr.example/next"}],
        "entry": [{"resource": {"resourceType": "Patient", "id": "p1"}}],
    }
    (tmp_path / "page.json").write_text(json.dumps(bundle))
    run = vestige("assess", tmp_path / "page.json")
    assert run.returncode == 1, run.stderr
    assert "truncated" in run.stdout


def test_control_characters_of_a_record_do_not_reach_the_terminal(folder: Path, tmp_path: Path) -> None:
    text = (folder / "ct-only-watch-and-wait.json").read_text()
    label = next(iter(samples.sample("ct-only-watch-and-wait").expected["lesions"]))
    (tmp_path / "nasty.json").write_text(
        text.replace(json.dumps(label), json.dumps(f"{label}\x1b[31m[bold]"))
    )
    run = vestige("assess", tmp_path / "nasty.json", "--today", TODAY)
    assert run.returncode in (0, 1), run.stderr
    assert "\x1b" not in run.stdout
    assert "Traceback" not in run.stderr


# rules


def test_rules(tmp_path: Path) -> None:
    listed = json.loads(vestige("rules", "list", "--json").stdout)
    assert {"DA-10", "DC-01", "LS-01"} <= {one["id"] for one in listed}
    assert max(map(len, vestige("rules", "list").stdout.splitlines())) <= 80
    shown = vestige("rules", "show", "DA-10")
    assert shown.returncode == 0
    assert "DA-10" in shown.stdout
    complaint(vestige("rules", "show", "DA-100"), 2, "DA-100", "did you mean")
    (tmp_path / "pack.yaml").write_text("id: x\n")
    run = vestige("rules", "check", "--pack", tmp_path)
    assert run.returncode == 1
    assert "facts.yaml:1: the file is missing" in run.stdout
    complaint(vestige("rules", "list", "--pack", tmp_path), 2, "facts.yaml")


def test_rules_test(tmp_path: Path) -> None:
    run = vestige("rules", "test", "DA-10", "--json")
    assert all(one["passed"] for one in json.loads(run.stdout)), run.stdout
    assert run.returncode == 0
    pack = copied_pack(tmp_path)
    path = pack / "parameters.yaml"
    path.write_text(
        path.read_text().replace("mri_soon:           {value: 28", "mri_soon:           {value: 1")
    )
    run = vestige("rules", "test", "DA-10", "--pack", pack)
    assert run.returncode == 1
    assert "70-advice.yaml" in run.stdout


def test_rules_diff(tmp_path: Path) -> None:
    pack = copied_pack(tmp_path)
    same = vestige("rules", "diff", pack, pack)
    assert (same.returncode, same.stdout.splitlines()[-1].endswith(": 0 differences")) == (0, True)
    path = pack / "parameters.yaml"
    path.write_text(
        path.read_text().replace("mri_soon:           {value: 28", "mri_soon:           {value: 27")
    )
    run = vestige("rules", "diff", PACKAGED, pack, "--json")
    assert run.returncode == 1
    assert "parameter mri_soon: changed" in json.loads(run.stdout)["differences"]


def copied_pack(folder: Path) -> Path:
    return Path(shutil.copytree(PACKAGED, folder / "pack"))


# why


def test_why(folder: Path) -> None:
    name = "ct-only-watch-and-wait"
    files = [folder / f"{name}.json", "--context", folder / f"{name}.hook.json", "--today", TODAY]
    document = json.loads(vestige("why", *files, "--lesion", "L2", "--json").stdout)
    assert (document["label"], document["status"]) == ("L2", "APPARENT_DLM")
    chains = {chain["rule"]: chain for chain in document["chains"]}
    assert "Observation/" in json.dumps(chains["DA-10"])
    assert json.dumps(chains["DA-10"]).count('"resources"') > 3
    text = vestige("why", *files, "--lesion", "L2")
    assert text.returncode == 0
    assert max(map(len, text.stdout.splitlines())) <= 80
    complaint(vestige("why", *files, "--lesion", "L99"), 2, "L99", "L1, L2, L3")


def test_why_not(folder: Path) -> None:
    name = "ct-only-watch-and-wait"
    files = [folder / f"{name}.json", "--context", folder / f"{name}.hook.json", "--today", TODAY]
    silent = vestige("why-not", files[0], "DA-03", *files[1:], "--lesion", "L2")
    assert silent.returncode == 0
    assert "did not conclude" in silent.stdout
    spoke = vestige("why-not", files[0], "DA-10", *files[1:], "--lesion", "L2", "--json")
    assert spoke.returncode == 1
    assert json.loads(spoke.stdout)["concluded"] is True
    complaint(vestige("why-not", files[0], "DA-3", *files[1:]), 2, "DA-3", "did you mean")


# settings and servers


def test_config_check(tmp_path: Path) -> None:
    config = tmp_path / "v.toml"
    config.write_text("[service]\nopen = true\n[site]\ntimezone = 'Europe/Amsterdam'\n")
    assert vestige("config", "check", "--config", config).returncode == 0
    changed = "[rules.states]\nDA-09 = 'shadow'\n[rules.parameters]\nsurveillance_max = 92\n"
    config.write_text(f"[service]\nopen = true\n{changed}")
    run = vestige("config", "check", "--config", config)
    assert "DA-09 is shadow: Not seen on" in run.stdout
    assert "surveillance_max is 92 d at this site" in run.stdout
    states = {
        one["id"]: one["status"]
        for one in json.loads(vestige("rules", "list", "--config", config, "--json").stdout)
    }
    assert (states["DA-09"], states["DA-10"]) == ("shadow", "active")
    config.write_text("[service]\nopen = true\n[rules.states]\nRC-05 = 'off'\n")
    run = vestige("config", "check", "--config", config)
    assert run.returncode == 2
    assert "DC-09, DC-10, DC-15 rest on what it concludes" in run.stderr
    config.write_text("[service]\nprot = 1\n")
    complaint(vestige("config", "check", "--config", config), 2, "prot", "port")
    complaint(vestige("config", "check"), 2, "trust.behind_tls_proxy")
    proxied = {"VESTIGE_TRUST__BEHIND_TLS_PROXY": "true"}
    complaint(vestige("config", "check", **proxied), 2, "trust.issuers is empty")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[cards]\nlanguage = 'xx'", ":4: cards.language: there are no texts for 'xx'"),
        (
            "[rules.parameters]\nsurveillance_mx = 9",
            ":4: rules.parameters.surveillance_mx: unknown parameter",
        ),
        (
            "[rules.parameters]\nsurveillance_max = 'x'",
            ":4: rules.parameters.surveillance_max: 'x' is no number",
        ),
        ("[rules.states]\n'DA-9' = 'off'", ":4: rules.states.DA-9: unknown rule"),
        ("[store]\nurl = 'nothing'", ":4: store.url: "),
        ("[store]\npseudonym_key = 'absent'", ":4: store.pseudonym_key: absent cannot be read"),
        ("[rules]\npack = 'absent'", "absent:1: there is no such folder"),
        ("[traces]\nendpoint = 'x'", ":4: traces.endpoint: "),
    ],
)
def test_config_check_names_what_a_start_or_a_call_would_stumble_over(
    text: str, where: str, tmp_path: Path
) -> None:
    config = tmp_path / "v.toml"
    config.write_text(f"[service]\nopen = true\n{text}\n")
    run = vestige("config", "check", "--config", config)
    assert run.returncode == 2
    assert where in " ".join(run.stderr.split()), run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["TLS proxy", "--open"]),
        (["--open", "--host", "0.0.0.0"], ["loopback"]),
        (["--today", TODAY], ["--open"]),
        (["--open", "--fhir-server", "http://ehr.example/fhir"], ["fhir.servers[0]", "loopback"]),
        (["--open", "--fhir-server", "nonsense"], ["fhir.servers[0]", "http or https"]),
        (["--config", "nowhere.toml"], ["nowhere.toml"]),
    ],
)
def test_serve_refuses_to_start(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    complaint(vestige("serve", "--port", "0", *arguments, cwd=tmp_path), 2, *words)


def test_serve_without_clients_refuses_to_start(tmp_path: Path) -> None:
    env = {"VESTIGE_TRUST__BEHIND_TLS_PROXY": "true", "VESTIGE_SERVICE__PUBLIC_URL": "https://cds.example"}
    complaint(vestige("serve", "--port", "0", cwd=tmp_path, **env), 2, "trust.issuers is empty")


@pytest.mark.parametrize("command", [["serve", "--open"], ["demo", "--ehr-port", "0"]])
def test_a_taken_port_is_3(tmp_path: Path, command: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        complaint(process(*command, "--port", str(port), cwd=tmp_path), 3, f"port {port}", "is taken")


class Running:
    """A command that serves until it is told to end."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.text = ""

    def address(self, pattern: str) -> str:
        """Reads until the pattern is printed and returns what it found."""
        assert self.process.stdout is not None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            line = self.process.stdout.readline()
            assert line, self.text
            self.text += line
            found = re.search(pattern, self.text)
            if found:
                return found[0]
        raise AssertionError(self.text)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        # Not communicate(): it would pass over what readline has taken in and not given out.
        self.text += self.process.stdout.read()
        self.process.wait(60)
        return self.process.returncode


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Any]:
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(*arguments, cwd=tmp_path))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_open_and_end(running: Any, number: signal.Signals) -> None:
    command = running("serve", "--open", "--port", "0", "--today", TODAY)
    address = command.address(r"http://127\.0\.0\.1:\d+/cds-services")
    services = requests.get(address, timeout=60).json()["services"]
    assert len(services) == 7
    assert command.end(number) == 0
    assert "WITHOUT AUTHENTICATION" in command.text
    assert "CLOCK IS FIXED" in command.text
    assert "Traceback" not in command.text


def test_demo_answers_with_cards_and_ends_cleanly(running: Any) -> None:
    command = running("demo", "--port", "0", "--ehr-port", "0")
    origin = command.address(r"http://127\.0\.0\.1:\d+/(?= in a browser)").rstrip("/")
    demo = requests.get(f"{origin}/demo.json", timeout=60).json()
    assert len(demo["patients"]) == len(samples.names())
    cards = {}
    for patient in demo["patients"]:
        authorisation = requests.post(f"{origin}/authorise/{patient['id']}", timeout=60).json()
        hook = list(patient["contexts"])[-1]
        service = {"order-sign": "crlm-order-sign", "patient-view": "crlm-lesion-review"}[hook]
        body = {
            "hook": hook,
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": patient["contexts"][hook],
            "fhirServer": demo["fhir"],
            "fhirAuthorization": authorisation,
        }
        answer = requests.post(f"{demo['service']}/cds-services/{service}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        cards[patient["title"]] = answer.json()["cards"]
    assert sum(map(len, cards.values())) > len(cards) / 2
    assert command.end(signal.SIGINT) == 0
    assert "Traceback" not in command.text
