#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run all tests: build with gcc and run ctest; again under sanitizers; with clang; compare
# digests across builds; hunt planted bugs. Ends with "N passed, N failed".
#
#   sh tests/run.sh [--deep] [--quick] [--jobs N]
#
# --deep hunts every planted bug and runs more seeds; --quick is gcc and ctest only.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
jobs=$(nproc) depth=usual
while [ $# -gt 0 ]; do
    case $1 in
    --deep) depth=deep ;;
    --quick) depth=quick ;;
    --jobs)
        jobs=${2:?"--jobs: found nothing behind it, expected a number"}
        shift
        ;;
    *)
        echo "tests/run.sh: found $1, expected --deep, --quick or --jobs N" >&2
        exit 2
        ;;
    esac
    shift
done

sh scenarios/install.sh
passed=0 failed=0
began=$(date +%s)

say() {
    printf '%5ds  %s\n' $(($(date +%s) - began)) "$1"
}

# step NAME LOG COMMAND…: one thing that passes or fails; its log is shown when it fails.
step() {
    name=$1 log=$2
    shift 2
    mkdir -p "$(dirname "$log")"
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        say "ok    $name"
    else
        failed=$((failed + 1))
        say "FAIL  $name ($log)"
        grep -nE -A 4 'error|FAILED' "$log" | head -n 40 || tail -n 20 "$log"
        return 1
    fi
}

# Called by step.
# shellcheck disable=SC2317
configure_and_build() {
    folder=$1 target=$2
    shift 2
    cmake -S . -B "$folder" "$@" && cmake --build "$folder" -j "$jobs" --target "$target"
}

# counted NAME LOG COMMAND…: a suite that ends with its own counts, ctest's or ours.
counted() {
    name=$1 log=$2
    shift 2
    status=0
    "$@" >"$log" 2>&1 || status=$?
    bad=$(sed -n -e 's/.* \([0-9]*\) tests failed out of [0-9]*.*/\1/p' \
        -e 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$log" | tail -n 1)
    all=$(sed -n -e 's/.* tests failed out of \([0-9]*\).*/\1/p' "$log" | tail -n 1)
    good=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$log" | tail -n 1)
    [ -z "$all" ] || good=$((all - bad))
    if [ -z "$bad" ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
        bad=1 good=${good:-0}
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        say "ok    $name: $good passed"
    else
        say "FAIL  $name: $good passed, $bad failed ($log)"
        grep -E 'FAIL|Failed|\*\*\*|not caught' "$log" || tail -n 40 "$log"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

if ! step "gcc builds without a warning" build-tests/run/build.log configure_and_build build-tests all \
    -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++; then
    finish
fi
counted "tests" build-tests/run/ctest.log ctest --test-dir build-tests -j "$jobs" --output-on-failure
[ "$depth" != quick ] || finish

step "every header compiles alone" build-tests/run/headers.log \
    cmake --build build-tests -j "$jobs" --target all_verify_interface_header_sets || true

if step "clang builds without a warning" build-tests/run/clang.log configure_and_build build-clang all \
    -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++; then
    others=build-clang/faultline
fi
# Any bytes at the doors of Raft and of the wire: a short run, a long one when deep.
[ "$depth" = deep ] && runs=2000000 || runs=100000
if step "clang builds the fuzzers" build-tests/run/fuzz-build.log cmake --build build-clang -j "$jobs" --target fuzz; then
    for fuzz in raft_fuzz wire_fuzz; do
        step "$fuzz takes anything" "build-tests/run/$fuzz.log" "build-clang/tests/$fuzz" -runs=$runs -seed=1 || true
    done
fi
# Unoptimised, and with every local variable filled with something else than zero.
if step "gcc builds without optimisation" build-tests/run/debug.log configure_and_build build-debug faultline \
    -DCMAKE_BUILD_TYPE=Debug -DBUILD_TESTING=OFF -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ \
    -DCMAKE_C_FLAGS=-ftrivial-auto-var-init=pattern; then
    others="${others:-} build-debug/faultline"
fi
[ "$depth" = deep ] && seeds=20 || seeds=2
# The programs are words.
# shellcheck disable=SC2086
counted "one seed, one digest" build-tests/run/determinism.log sh tests/determinism.sh build-tests/faultline \
    ${others:-} -- scenarios/failures scenarios/hazards --seeds "$seeds"

# gcc's instrumentation makes it warn of what is not there, so warnings are none here.
if step "gcc builds with sanitizers" build-tests/run/sanitize.log configure_and_build build-sanitize all \
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-O1 -DFAULTLINE_SANITIZE=address,undefined \
    -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++; then
    counted "tests under sanitizers" build-tests/run/sanitize-ctest.log \
        ctest --test-dir build-sanitize -j "$jobs" --output-on-failure -LE 'mutant|determinism|layering'
fi

# Planted bugs: all of them, or the first of each kind by the letter of its name.
few=
if [ "$depth" != deep ]; then
    # shellcheck disable=SC2013
    for id in $(sed -n 's/^id: //p' tests/mutants/*.mutant | sort | awk '!seen[substr($1, 1, 1)]++'); do
        few="$few --only $id"
    done
fi
# shellcheck disable=SC2086
counted "planted bugs are caught" build-tests/run/mutants.log sh tests/mutants/run.sh --jobs "$jobs" $few
finish
