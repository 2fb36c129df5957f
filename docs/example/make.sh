#!/usr/bin/env bash
# Makes the report of this folder and its screenshots: docs/example/make.sh [MODEL…]. The screenshots need Node.js 20,
# Chromium, and `npm ci` in cli/src/test/web.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
[ $# -gt 0 ] || set -- demo:f16 demo:q6 demo:q4
"$root/pelican" compare "$@" --html "$here/report.html" >"$here/report.txt"
cd "$root/cli/src/test/web"
node screenshots.mjs "$here/report.html" "$here" light-head light-answers light-drawings dark-weights dark-quality phone-head phone-precision
