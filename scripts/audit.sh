#!/bin/sh
# usage: scripts/audit.sh; asks what weaknesses are known of every package that a lock file names (needs the network).
# Exit code 1 where there is one, 3 where any package could not be asked about: no answer is not "nothing known".
set -u
cd "$(dirname "$0")/.."
known=0 unasked=0
for lock in requirements/py3*.txt; do
    said=$(.venv-audit/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r "$lock" 2>&1)
    case $? in
    0) echo "vestige: $lock: no weakness known" ;;
    *)
        if echo "$said" | grep -q "known vulnerabilit"; then
            known=1
            echo "vestige: $lock:"
        else
            unasked=1
            echo "vestige: $lock: could not be asked about (is there a network?)"
        fi
        echo "$said" | tail -n 20
        ;;
    esac
done
[ "$known" = 0 ] || exit 1
[ "$unasked" = 0 ] || exit 3
