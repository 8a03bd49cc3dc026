#!/usr/bin/env bash
# Breaks eventlog and eventlog-derive in every way that cargo-mutants knows, one at a time, and asks
# model-tests each time whether it notices. First the tests that take milliseconds, then, of what
# survived them, all others; each pass leaves out what the one before has caught.
#
#   cargo install --locked cargo-mutants cargo-nextest
#   model-tests/mutants.sh                              everything: four hours on two cores
#   model-tests/mutants.sh -f eventlog/src/seq.rs       one file: a minute
#
# Arguments go to `cargo mutants`. The verdicts are in target/mutants/{eventlog,derive}/mutants.out.
set -euo pipefail
cd "$(dirname "$0")/.."

out=target/mutants
# Built a thousand times, so building counts for more than running; and a log that has lost its
# bounds shall not take the machine along.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=1
fast=(--config profile.dev.package.model-tests.opt-level=0
      --config profile.dev.package.proptest.opt-level=1)
ulimit -v 12000000

# judge NAME PASS TEST...: the mutants of one crate before these tests of model-tests.
judge() {
    local name=$1 pass=$2 tests=("${@:3}")
    tests=("${tests[@]/#/--test=}")
    echo "== $name, $pass tests: ${*:3}"
    mkdir -p "$out/$name"
    NEXTEST_PROFILE=$pass cargo nextest run -p model-tests "${fast[@]}" "${tests[@]}"
    # Status 2 and 3 say that some survived or hung; those are what the next pass is for.
    NEXTEST_PROFILE=$pass cargo mutants --iterate --baseline skip --timeout 600 -j 2 \
        --test-tool nextest --test-package model-tests -o "$out/$name" -f "$name/src/**" \
        "${args[@]}" "${fast[@]/#/-C=}" "${tests[@]/#/-C=}" || (($? == 2 || $? == 3))
}

args=("$@")
