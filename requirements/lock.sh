#!/usr/bin/env bash
# Writes the hashed requirement files for every supported Python; run it with each interpreter's pip-compile on hand.
# usage: requirements/lock.sh PIP_COMPILE TAG      e.g. requirements/lock.sh .lock311/bin/pip-compile py311
set -euo pipefail
compile=$1 tag=$2
cd "$(dirname "$0")"
flags=(-q --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --no-annotate --no-header)
"$compile" "${flags[@]}" -o "$tag-dev.txt" dev.in
for name in runtime build postgres otel; do
  "$compile" "${flags[@]}" -c "$tag-dev.txt" -o "$tag-$name.txt" "$name.in"
done
for name in sekmet healthchain deploy audit; do
  "$compile" "${flags[@]}" -o "$tag-$name.txt" "$name.in"
done
