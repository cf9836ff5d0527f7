#!/usr/bin/env bash
# A real server against its own OpenAPI document: what the document allows and what it does not, for so many seconds.
# Usage: tests/contract/run.sh [seconds]
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-120}
seed=20261125
target=${CARGO_TARGET_DIR:-target}
here=$PWD/tests/contract
python=${TMPDIR:-/tmp}/tributary-contract
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

cargo build --locked --quiet
[ -x "$python/bin/pip" ] || python3 -m venv "$python"
"$python/bin/pip" install --quiet --requirement "$here/requirements.txt"

# Rates would be all that is tested.
"$target/debug/tributary" demo --scale 0.02 --data "$work/data" >"$work/demo"
"$target/debug/tributary" serve --data "$work/data" --listen 127.0.0.1:0 \
    --set limits.tenant_requests_per_second=100000 --set limits.address_requests_per_second=100000 \
    >"$work/said" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    url=$(sed -n 's/^listening on //p' "$work/said")
    [ -n "$url" ] && break
    sleep 0.1
done
token=$(cat "$work/data/operator.token")

cd "$work"
# One worker: with more, Python 3.11 itself fails now and then.
"$python/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$url/openapi.json" \
    --header "Authorization: Bearer $token" --checks all --seed "$seed" --max-time "$seconds"

# Whatever was sent, the server is well and has said nothing of a panic.
curl --silent --show-error --fail --output /dev/null "$url/readyz"
if grep -E 'panicked|"?ERROR"?' "$work/log"; then
    echo "the log has errors" >&2
    exit 1
fi
