#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layering.sh ROOT: includes point down. Each row below is a folder and what its files
# may include beside the folder itself; the longest folder that fits decides. A trailing
# slash admits a folder with all below it.
#
#   base ← {raft, wal, kv, lease, wire} ← member, and base, wire ← client: modules of the
#   core know each other by their types.h only; disk.h and host.h are the two tables
#   through which a member sees its machine. The world is built on the core, judges see
#   the core and never the world, campaigns sit on scripts, reports on campaigns.
set -eu
cd "$1"

find core sim reports -name '*.[ch]' -o -name '*.def' -o -name '*.cpp' | sort | while read -r file; do
    sed -n "s|^ *# *include \"\\([^\"]*\\)\".*|$file \\1|p" "$file"
done | awk '
function allow(folder, list) {
    may[folder] = list
}
BEGIN {
    types = "core/raft/types.h core/kv/types.h"
    allow("core", "core/base/ core/raft/raft.h core/wire/wire.h " types)
    allow("core/base", "")
    allow("core/raft", "core/base/ " types)
    allow("core/wal", "core/base/ core/disk.h " types)
    allow("core/kv", "core/base/ " types)
    allow("core/lease", "core/base/ " types)
    allow("core/wire", "core/base/ " types)
    allow("core/client", "core/base/ core/wire/ " types)
    allow("core/member", "core/base/ core/raft/ core/wal/ core/kv/ core/lease/ core/wire/ core/disk.h core/host.h")
    allow("sim/check", "core/")
    allow("sim", "core/ sim/check/")
    allow("sim/bench", "core/ sim/")
    allow("sim/script", "core/ sim/check/ sim/*.h")
    allow("sim/campaign", "core/ sim/check/ sim/script/ sim/*.h")
    allow("sim/main", "core/ sim/ reports/")
    allow("reports", "core/ sim/")
    status = 0
}
function folder_of(path) {
    if (path ~ /^sim\/(main|cmd_[a-z_]*)\.[ch]$/) {
        return "sim/main"
    }
    sub(/\/[^\/]*$/, "", path)
    while (!(path in may)) {
        sub(/\/[^\/]*$/, "", path)
    }
    return path
}
function fits(target, pattern) {
    if (pattern == "sim/*.h") {
        return target ~ /^sim\/[a-z0-9_]*\.(h|def)$/ && target !~ /^sim\/cmd_/
    }
    return pattern ~ /\/$/ ? index(target, pattern) == 1 : target == pattern
}
{
    folder = folder_of($1)
    good = folder_of($2) == folder
    count = split(may[folder], patterns, " ")
    for (i = 1; i <= count; i++) {
        good = good || fits($2, patterns[i])
    }
    if ($2 !~ /\//) {
        printf "%s: found include \"%s\", expected a path from the root\n", $1, $2
        status = 1
    } else if (!good) {
        printf "%s: found include \"%s\", expected nothing above or beside %s\n", $1, $2, folder
        status = 1
    }
    seen++
}
END {
    if (seen == 0) {
        print "layering: found no includes, expected some"
        status = 1
    }
    exit status
}'
