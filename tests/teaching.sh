#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# teaching.sh ROOT PROGRAM: the examples, the regressions, what was published, and a few
# seeds of each swarm.
set -eu
cd "$1"
"$2" run scenarios/examples scenarios/regressions scenarios/research --seeds 2 --jobs 1 -q
"$2" sweep scenarios/research --trials 1 --param rounds=2 --param horizon=500 --jobs 1 -q
"$2" run tests/script/language.lua --jobs 1 -q
"$2" fuzz --seeds 6 --jobs 1 -q
