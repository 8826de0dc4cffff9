#!/bin/sh
# usage: scripts/install.sh python | runtime | dev | sekmet | healthchain | deploy | audit
# Makes .venv (and .venv-sekmet, .venv-healthchain and .venv-deploy, for the tests) from hashed requirements; says in one line what is missing.
set -eu
cd "$(dirname "$0")/.."
venv=.venv

stop() { echo "vestige: $*" >&2; exit 1; }

find_python() {
    for name in ${PYTHON:-} python3.12 python3.11 python3; do
        found=$(command -v "$name" 2>/dev/null) || continue
        version=$("$found" -c 'import sys, venv, ensurepip; print("%d%d" % sys.version_info[:2])' 2>/dev/null) || continue
        case "$version" in 311 | 312) echo "$found py$version"; return ;; esac
    done
    stop "needs Python 3.11 or 3.12 with venv (Debian: apt-get install python3-venv; elsewhere: your package manager or pyenv). Python 3.13 cannot load durable_rules 2.0.28."
}

need_compiler() {
    cc --version >/dev/null 2>&1 || gcc --version >/dev/null 2>&1 ||
        stop "needs a C compiler to build durable_rules (Debian: apt-get install gcc)."
    "$venv/bin/python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' ||
        stop "needs the Python headers to build durable_rules (Debian: apt-get install python3-dev)."
}

pip_install() { # python, arguments...
    python=$1
    shift
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation "$@"
}

case "${1:-}" in
python)
    set -- $(find_python)
    [ $# -eq 2 ] || exit 1
    rm -rf "$venv"
    "$1" -m venv "$venv"
    echo "$2" >"$venv/python-tag"
    echo "vestige: .venv made with $("$venv/bin/python" --version)"
    ;;
runtime)
    tag=$(cat "$venv/python-tag")
    need_compiler
    echo "vestige: installing the hashed requirements (once)"
    pip_install "$venv/bin/python" -r "requirements/$tag-build.txt"
    pip_install "$venv/bin/python" -r "requirements/$tag-runtime.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
    touch "$venv/runtime-ready"
    ;;
dev)
    pip_install "$venv/bin/python" -r "requirements/$(cat "$venv/python-tag")-dev.txt"
    touch "$venv/dev-ready"
    ;;
sekmet | healthchain | deploy | audit)
    # The FHIR server of the contract tests; the service that the checker and the bench are held against; what
    # checks the examples in deploy/; pip-audit and cyclonedx-py.
    tag=$(cat "$venv/python-tag")
    lock="requirements/$tag-$1.txt"
    if [ ! -e ".venv-$1/ready" ] || [ "$lock" -nt ".venv-$1/ready" ]; then
        echo "vestige: installing $1 in an environment of its own (once)"
        rm -rf ".venv-$1"
        "$venv/bin/python" -m venv ".venv-$1"
        ".venv-$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
        touch ".venv-$1/ready"
    fi
    ;;
*) stop "usage: scripts/install.sh python | runtime | dev | sekmet | healthchain | deploy | audit" ;;
esac
