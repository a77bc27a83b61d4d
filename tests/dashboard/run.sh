#!/usr/bin/env bash
# Runs the dashboard's tests in Chromium: tests/dashboard/run.sh [TEST FILE...]
# The packages go to build/dashboard-tests; ROLECALL_PROGRAM names another binary than build/release/rolecall.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
modules=../../build/dashboard-tests
mkdir -p "$modules"
if ! cmp -s package.json "$modules/package.json" || [ ! -d "$modules/node_modules" ]; then
  cp package.json "$modules/"
  npm install --prefix "$modules" --no-audit --no-fund --no-package-lock --ignore-scripts
fi
[ $# -gt 0 ] || set -- *.test.mjs
exec node --test --test-concurrency=1 "$@"
