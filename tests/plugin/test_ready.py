"""Types that several threads may decode into first, at the same time: nothing ends the process."""

import ast
import subprocess
import sys

import pytest

from tests.require import ROOT

# Decoded into by one thread alone: commands, and what is read once before there are threads.
ALONE = {
    "cds_hooks/interop/manifest.py",
    "cds_hooks/interop/patients.py",
    "cds_hooks/cli/records.py",
    "cds_hooks/profiles.py",
    "plugin/capture/document.py",
    "plugin/settings.py",
    "plugin/settings_source.py",
}
PLAIN = {"cds_hooks/trust/keys.py"}
"""Decoded into what Python itself has, of which nothing is made first."""
RACE = """
import sys, threading
sys.setswitchinterval(1e-6)
import msgspec
from {module} import {kind}
together = threading.Barrier(8)

def first():
    together.wait()
    try:
        msgspec.convert({{}}, {kind})
    except msgspec.ValidationError:
        pass

threads = [threading.Thread(target=first) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("cds_hooks.model", "HookResponse"),
        ("cds_hooks.model", "DiscoveryResponse"),
        ("cds_hooks.model", "OperationOutcome"),
        ("cds_hooks.timeline_page.reading", "Reading"),
        ("plugin.dialects", "Dialect"),
        ("plugin.features", "FeatureTable"),
        ("plugin.store", "Record"),
    ],
)
def test_eight_threads_may_be_the_first(module: str, kind: str) -> None:
    program = RACE.format(module=module, kind=kind)
    for _ in range(3):
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
        assert ran.returncode == 0, ran.stderr[-500:]


def decodes(source: str) -> bool:
    """Whether a module decodes into a type of its choice."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            typed = any(keyword.arg == "type" for keyword in node.keywords)
            if node.func.attr == "convert" or (node.func.attr == "decode" and typed):
                return True
    return False


def test_every_module_that_decodes_made_its_types_ready() -> None:
    lacking = set()
    for package in ("cds_hooks", "plugin", "rules", "fhir_profiles"):
        for file in (ROOT / package).rglob("*.py"):
            name, source = str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")
            if decodes(source) and "ready(" not in source and name not in ALONE | PLAIN:
                lacking.add(name)
    lacking = {name for name in lacking if not name.startswith("cds_hooks/conformance/")}  # a command
    assert lacking == set(), "call plugin.ready.ready for the types of these modules"
