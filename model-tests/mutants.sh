#!/usr/bin/env bash
# Breaks eventlog and eventlog-derive in every way that cargo-mutants knows, one at a time, and asks
# the tests each time whether they notice. First those that catch most; then, what survived, the others.
#
#   cargo install --locked cargo-mutants cargo-nextest
#   model-tests/mutants.sh                              everything: a night and more on two cores
#   model-tests/mutants.sh disk                         an area: ring, disk, feed, tool, nats or derive
#   model-tests/mutants.sh ring -f eventlog/src/cursor.rs    one file of it: some minutes
#
# Further arguments go to `cargo mutants`. The verdicts are in target/mutants/*/mutants.out. At the end
# mutants/table.py says which survivors have no reason yet, and writes mutants.md anew.
set -euo pipefail
cd "$(dirname "$0")/.."

# Built a thousand times: building counts for more than running. And a log that has lost its bounds
# shall not take the machine along.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=1 MODEL_TESTS_CASES=64
ulimit -v 12000000

# Whole folders, so that files can move in them. Areas here are those of mutants/table.py.
area=all
case "${1-}" in
    ring | disk | feed | tool | nats | derive)
        area=$1
        shift
        ;;
esac
arguments=("$@")
is_asked_for() { [[ $area == all || $area == "$1" ]]; }

# choose AREA ARGUMENT...: whose mutants are judged next, unless a file is asked for.
choose() {
    results=target/mutants/$1 chosen=("${@:2}")
    [[ " ${arguments[*]} " != *" -f "* ]] || chosen=()
}

# judge CRATE "JUDGE..." ARGUMENT...: all chosen mutants of a crate that no earlier pass has caught.
judge() {
    local crate=$1 status=0 judge
    local packages=() tested=()
    for judge in $2; do
        packages+=(--package "$judge")
        tested+=(--test-package "$judge")
    done
    shift 2
    local options=("${@/#/--cargo-arg=}")
    # Where a test fails anyway, every mutant would seem to be caught.
    cargo nextest run "${packages[@]}" "$@"
    mkdir -p "$results"
    # A test that hangs is ended by its profile; all of them together may take minutes.
    cargo mutants --iterate --baseline skip --timeout 900 --build-timeout 600 --jobs 2 \
        --test-tool nextest "${tested[@]}" --output "$results" \
        --exclude 'model-tests/**' --package "$crate" "${options[@]}" \
        "${chosen[@]}" "${arguments[@]}" || status=$?
    # 2: some survived. 3: some ran out of time. Both are for the next pass, or the reader.
    ((status == 0 || status == 2 || status == 3)) || exit "$status"
    # The next pass counts these among what was caught.
    cat "$results/mutants.out/unviable.txt" >> "$results/unviable.txt"
}

unoptimised=(--config=profile.dev.package.versioned-eventlog-tests.opt-level=0
             --config=profile.dev.package.proptest.opt-level=1)
# Of the library and of the suite, which also turns `unstable-storage` on for both.
first=(writer disk follow history)
second=(memory user_code subscribe concurrency replay printed
        meanwhile unreadable reading remedies idle lineage)
# The first ones again, with what the profile leaves out.
third=("${first[@]}" ring cut_and_flip conformance crash faults)

library=versioned-eventlog suite=versioned-eventlog-tests derive=versioned-eventlog-derive

# judge_core AREA ARGUMENT...: an area of the default features, in three passes.
judge_core() {
    is_asked_for "$1" || return 0
    choose "$@"
    NEXTEST_PROFILE=quick judge "$library" "$library $suite" "${unoptimised[@]}" "${first[@]/#/--test=}"
    NEXTEST_PROFILE=mutants judge "$library" "$library $suite" "${unoptimised[@]}" "${second[@]/#/--test=}"
    NEXTEST_PROFILE=mutants judge "$library" "$library $suite" "${third[@]/#/--test=}"
}

# judge_extra AREA FOLDER ARGUMENT...: an area of a feature of its own, and its tests.
judge_extra() {
    is_asked_for "$1" || return 0
    choose "$1" --file="eventlog/src/$2/**"
    shift 2
    NEXTEST_PROFILE=mutants judge "$library" "$library" --all-features --lib "$@"
}

judge_core ring --exclude='eventlog/src/'{disk,writer,serve,cli,nats}'/**'
judge_core disk --file='eventlog/src/'{disk,writer}'/**'
judge_extra feed serve --test=serve
judge_extra tool cli --bins --test=cli
judge_extra nats nats --test=nats
if is_asked_for derive; then
    choose derive
    NEXTEST_PROFILE=mutants judge "$derive" "$derive" --lib
    NEXTEST_PROFILE=mutants judge "$derive" "$suite" --test=derive
fi

python3 model-tests/mutants/table.py --results
