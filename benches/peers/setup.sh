#!/bin/sh
# Installs the peers that the benches compare with into target/benches/venv; does nothing where that is done.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv="${CARGO_TARGET_DIR:-$here/../../target}/benches/venv"
if [ -f "$venv/installed" ] && cmp -s "$here/requirements.txt" "$venv/installed"; then
    exit 0
fi
python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
cp "$here/requirements.txt" "$venv/installed"
