#!/bin/sh
# Runs all benches: benches/run.sh [boundary|comparisons|formats|ingest|planted|score|views]… (all where none is named).
#
# In the dev profile, which is the one that users build and which shares its dependencies with everything else;
# a plain `cargo bench` would build DataFusion once more. The server is named so that the features stay the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
"$here/peers/setup.sh"
[ $# -gt 0 ] || set -- boundary comparisons formats ingest planted score views
for bench in "$@"; do
    cargo bench --quiet --profile dev \
        --package tributary-benches --package tributary-engine-server --bench "$bench"
    # The peer of the boundary is a workspace of its own, in the release profile; its first build takes a while.
    [ "$bench" != boundary ] || "$here/peers/arrow_udf/run.sh"
done
