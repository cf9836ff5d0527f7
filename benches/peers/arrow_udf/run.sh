#!/bin/sh
# Builds the peer's guest twice, as its documentation says and with the flags of Tributary's SDK, and runs both
# beside Tributary. Everything goes to target/benches/arrow_udf.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target="${CARGO_TARGET_DIR:-$here/../../../target}/benches/arrow_udf"
guest=wasm32-wasip1/release/tributary_benches_peers_arrow_udf_guest.wasm
rustup target list --installed | grep -q wasm32-wasip1 || rustup target add wasm32-wasip1
cd "$here"
# The profile that the SDK's build sets, for either guest.
build() {
    CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
        cargo build --quiet --release --locked --package tributary-benches-peers-arrow-udf-guest \
        --target wasm32-wasip1 --target-dir "$1"
}
build "$target/plain"
RUSTFLAGS="-Ctarget-feature=+simd128 -Cllvm-args=-force-vector-interleave=8" build "$target/flagged"
export CARGO_TARGET_DIR="$target"
cargo run --quiet --release --locked --package tributary-benches-peers-arrow-udf-runner -- \
    "$target/plain/$guest" "$target/flagged/$guest" "$target/guests"
