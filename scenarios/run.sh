#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run the failure scenarios: install what is missing, build, run, leave build/report.html.
# Arguments are passed on to the program: sh scenarios/run.sh --seeds 20 --filter lease
# The exit status is the run's: 0 all held, 1 violated, 2 wrong, 3 not judged.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/scenarios/install.sh"

log=$root/build/build.log
mkdir -p "$root/build"
if ! { cmake -S "$root" -B "$root/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF &&
    cmake --build "$root/build" --target faultline -j "$(nproc)"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 3
fi

cd "$root"
status=0
build/faultline run scenarios/failures --claims --html build/report.html --json build/report.json "$@" || status=$?
[ ! -f build/report.html ] || echo "build/report.html"
exit "$status"
