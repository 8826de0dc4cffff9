"""The committed bundle is what its sources give, from pinned tools."""

import json
import os
import re
import subprocess

from tests.require import ROOT, require

WEB = ROOT / "cds_hooks" / "timeline_page" / "web"


def test_the_committed_bundle_is_what_the_sources_give() -> None:
    require("node")
    done = subprocess.run(
        [str(ROOT / "scripts" / "page.sh"), "check"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr


def test_the_tools_are_pinned_exactly_and_carry_hashes() -> None:
    named = json.loads((WEB / "package.json").read_text())
    wanted = {**named["dependencies"], **named["devDependencies"]}
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    assert wanted
    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version
    assert not [name for name, one in locked.items() if name and "integrity" not in one]


def test_every_text_of_another_language_has_an_english_one() -> None:
    keys = {
        language: set(
            re.findall(r'^  "([\w.-]+)":', (WEB / "src" / f"texts.{language}.js").read_text(), re.M)
        )
        for language in ("en", "de")
    }
    assert len(keys["en"]) > 150
    assert keys["de"]
    assert keys["de"] <= keys["en"]


def test_every_text_that_a_module_asks_for_exists() -> None:
    sources = {path: path.read_text() for path in (WEB / "src").glob("*.js")}
    english = set(re.findall(r'^  "([\w.-]+)":', sources[WEB / "src" / "texts.en.js"], re.M))
    asked = {key for text in sources.values() for key in re.findall(r'\bt\("([\w.-]+)"', text)}
    assert asked
    assert asked <= english
