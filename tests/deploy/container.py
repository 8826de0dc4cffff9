"""deploy/Containerfile without an image engine: `python -m tests.deploy.container [--keep]`, or `make container-steps`.

Reads the file, copies what it copies (no more than its ignore file lets through), runs its RUN steps in a scratch
folder with the paths of the image below it, then starts its ENTRYPOINT with its CMD on a read-only file system where
the machine allows that, asks its HEALTHCHECK, and stops it with its STOPSIGNAL. Not shown by it: the base image and its
Python (this machine's is used), the packages of its apt-get (a compiler must be here), its user, and that an engine takes
the file.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from tests.cds_hooks.jwts import PUBLIC, elliptic, key_file
from tests.log_guard import check_log
from tests.require import ROOT
from tests.servers.sekmet import free_port

FILE = ROOT / "deploy" / "Containerfile"
IGNORED = ROOT / "deploy" / "Containerfile.dockerignore"
# The places of the image that the steps name.
PLACES = ("/src", "/build", "/wheels", "/opt/vestige", "/var/lib/vestige", "/etc/vestige")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, and the rest of its lines as one."""

    name: str
    text: str

    @property
    def listed(self) -> list[str]:
        """The words of an instruction in exec form."""
        words: list[str] = json.loads(self.text[self.text.index("[") :])
        return words


@dataclass
class Stage:
    """One stage: its base, its name, and its instructions in order."""

    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [one for one in self.instructions if one.name == name]

    def one(self, name: str) -> Instruction:
        (found,) = self.all(name)
        return found


def instructions(text: str) -> list[Instruction]:
    """Returns the instructions of a Containerfile, comments left out and continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    split = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [Instruction(name.upper(), rest) for name, rest in split]


def stages(text: str) -> list[Stage]:
    """Returns the stages of a Containerfile; ARG before the first FROM are not in any."""
    found: list[Stage] = []
    for one in instructions(text):
        if one.name == "FROM":
            base, _, name = one.text.partition(" AS ")
            found.append(Stage(base, name or None))
        elif found:
            found[-1].instructions.append(one)
    return found


def copied(stage: Stage) -> list[tuple[list[str], str]]:
    """Returns what a stage copies from the repository, and where to."""
    words = [shlex.split(one.text) for one in stage.all("COPY")]
    return [(one[:-1], one[-1]) for one in words if not one[0].startswith("--from")]


def let_through(path: str) -> bool:
    """Tells whether the ignore file lets a file of the repository reach the build."""
    inside = False
    for line in IGNORED.read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.startswith("!")
        pattern = pattern.lstrip("!")
        whole = "/" + path
        hit = pattern == "*" or fnmatch(path, pattern) or path.startswith(f"{pattern}/")
        if pattern.startswith("**/"):
            hit = fnmatch(whole, f"*/{pattern[3:]}") or fnmatch(whole, f"*/{pattern[3:]}/*")
        if hit:
            inside = wanted
    return inside


class Scratch:
    """A folder that stands for the image."""

    def __init__(self, folder: Path, tag: str) -> None:
        self.folder, self.tag = folder, tag
        shims = folder / "shims"
        shims.mkdir()
        (shims / "python").symlink_to(getattr(sys, "_base_executable", sys.executable))
        self.environment = {**os.environ, "PATH": f"{shims}:{os.environ['PATH']}", "TAG": tag}

    def placed(self, text: str) -> str:
        """Returns a text with the places of the image below the folder."""
        named = "|".join(map(re.escape, PLACES))
        return re.sub(rf"(?<![\w.])({named})(?![\w.-])", lambda found: f"{self.folder}{found[1]}", text)

    def build(self, stage: Stage) -> None:
        """Carries out a stage's COPY from the repository and RUN, in order."""
        for one in stage.instructions:
            if one.name == "COPY" and not one.text.startswith("--from"):
                *sources, target = shlex.split(one.text)
                for source in sources:
                    self._copy(source, target)
            elif one.name == "COPY":
                place = Path(self.placed(shlex.split(one.text)[-1]))
                assert place.is_dir(), f"{one.text}: nothing was built there"
            elif one.name == "RUN":
                self._run(one.text)

    def _copy(self, source: str, target: str) -> None:
        found = [ROOT / source] if (ROOT / source).is_file() else sorted((ROOT / source).rglob("*"))
        taken = [one for one in found if one.is_file() and let_through(str(one.relative_to(ROOT)))]
        assert taken, f"{source}: the ignore file lets nothing of it through"
        for path in taken:
            inner = path.relative_to(ROOT / source) if (ROOT / source).is_dir() else Path(path.name)
            place = Path(self.placed(target.rstrip("/"))) / inner
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)

    def _run(self, text: str) -> None:
        if text.startswith("apt-get"):
            print(f"not run here, it would change this machine: {text[:60]}...")
            subprocess.run(["cc", "--version"], check=True, stdout=subprocess.DEVNULL)
            return
        if os.geteuid() != 0:
            text = re.sub(r"--(owner|group)=\d+ ", "", text)
        print(f"run: {text}", flush=True)
        subprocess.run(self.placed(text), shell=True, check=True, cwd=self.folder, env=self.environment)

    def serve(self, final: Stage) -> None:
        """Starts what the image starts, asks its health check until it is well, and stops it."""
        port = str(free_port())
        settings = self.folder / "etc" / "vestige" / "vestige.toml"
        settings.parent.mkdir(parents=True)
        client = elliptic()
        settings.write_text(
            f'[service]\npublic_url = "{PUBLIC}"\n[trust]\nbehind_tls_proxy = true\n[[trust.issuers]]\n'
            f'issuer = "{client.issuer}"\njwks_file = "{key_file(settings.parent, client)}"\n'
        )
        state = Path(self.placed(final.one("WORKDIR").text))
        words = [*final.one("ENTRYPOINT").listed, *final.one("CMD").listed]
        words = [{"0.0.0.0": "127.0.0.1", "8000": port}.get(word, word) for word in words]
        command = [str(self.folder / "opt" / "vestige" / "bin" / words[0]), *map(self.placed, words[1:])]
        log = (self.folder / "service.log").open("wb")
        process = subprocess.Popen(
            [*_read_only(state), *command],
            cwd=state,
            env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"], "TMPDIR": "/nowhere"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        check = [word.replace("8000", port) for word in final.one("HEALTHCHECK").listed]
        check[0] = str(self.folder / "opt" / "vestige" / "bin" / check[0])
        try:
            self._await(process, check)
        finally:
            process.send_signal(getattr(signal, final.one("STOPSIGNAL").text))
            code = process.wait(60)
            log.close()
        check_log(self.folder / "service.log")
        assert code == 0, f"it ended with {code}: {(self.folder / 'service.log').read_text()[-800:]}"
        assert subprocess.run(check, capture_output=True).returncode != 0, "the check fails once it is gone"
        print(f"served, found well, and ended; written to: {sorted(one.name for one in state.iterdir())}")

    def _await(self, process: subprocess.Popen[bytes], check: list[str]) -> None:
        end = time.monotonic() + 120
        while subprocess.run(check, capture_output=True).returncode != 0:
            told = (self.folder / "service.log").read_text()[-800:]
            assert process.poll() is None, f"it did not start: {told}"
            assert time.monotonic() < end, f"it never was well: {told}"
            time.sleep(0.5)


def _read_only(state: Path) -> list[str]:
    """The command before a command that then may write below `state` only, where this machine can do that."""
    script = (
        'mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro / '
        '&& cd "$1" && shift && exec "$@"'
    )
    before = ["unshare", "--mount", "sh", "-c", script, "sh", str(state)]
    probe = 'test -w "$PWD" && ! touch /vestige-was-here 2>/dev/null'
    tried = subprocess.run([*before, "sh", "-c", probe], capture_output=True)
    if tried.returncode:
        print("not shown here: a read-only file system (no mount name space for this user)")
        return []
    print("on a read-only file system")
    return before


def carry_out(folder: Path) -> None:
    """Builds in a folder and serves from there; raises where a step fails."""
    build, final = stages(FILE.read_text())
    scratch = Scratch(folder, "py{}{}".format(*sys.version_info))
    scratch.build(build)
    scratch.build(final)
    size = sum(one.stat().st_size for one in (folder / "opt").rglob("*") if one.is_file())
    print(f"{size / 1e6:.0f} MB in /opt/vestige")
    scratch.serve(final)


def main() -> None:
    """Carries out every step in a scratch folder, and says how long it took."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="vestige-container-"))
    try:
        carry_out(folder)
    finally:
        if "--keep" not in sys.argv:
            shutil.rmtree(folder)
    print(f"every step of {FILE.relative_to(ROOT)} was carried out in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
