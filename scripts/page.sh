#!/bin/sh
# usage: scripts/page.sh [check | tools]
# Bundles cds_hooks/timeline_page/web into cds_hooks/timeline_page/static, offline but for npm; needs Node.js 20.
# With "check" nothing is written: it fails when the committed bundle is not what the sources give.
# With "tools" only the tools are installed (esbuild, and axe-core for the tests), in build/page.
set -eu
cd "$(dirname "$0")/.."
work=${VESTIGE_PAGE_BUILD:-build/page}
web=cds_hooks/timeline_page/web
out=cds_hooks/timeline_page/static

stop() { echo "vestige: $*" >&2; exit 1; }

command -v npm >/dev/null 2>&1 || stop "needs Node.js 20 or later with npm to build the page; to use it nothing is needed."

mkdir -p "$work"
if ! cmp -s "$web/package-lock.json" "$work/installed-lock.json"; then
    cp "$web/package.json" "$web/package-lock.json" "$work"
    (cd "$work" && npm ci --no-audit --no-fund --ignore-scripts --silent)
    cp "$web/package-lock.json" "$work/installed-lock.json"
fi
NODE_PATH=$(cd "$work/node_modules" && pwd)
export NODE_PATH

case "${1:-}" in
    tools) ;;
    check)
        rm -rf "$work/made"
        node "$web/build.mjs" "$work/made"
        diff -r "$work/made" "$out" >/dev/null || stop "$out is not what $web gives: run scripts/page.sh and commit"
        echo "vestige: the page's bundle is up to date" ;;
    *)
        node "$web/build.mjs" "$out"
        echo "vestige: the page is built in $out" ;;
esac
