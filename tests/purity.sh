#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# purity.sh ARCHIVE [NM]: the core asks the machine for nothing but memory functions and a
# place to stop, and every name it exports carries its module's prefix.
set -eu
archive=$1
nm=${2:-nm}

defined=$("$nm" --defined-only --extern-only --format=posix "$archive" | awk 'NF >= 2 { print $1 }' | sort -u)
undefined=$("$nm" --undefined-only --format=posix "$archive" | awk 'NF >= 2 { print $1 }' | sort -u)
if [ -z "$defined" ]; then
    echo "purity: $archive defines nothing: found no symbols, expected the core's"
    exit 1
fi

status=0
for name in $undefined; do
    case $name in
    memcpy | memmove | memset | memcmp | abort | __assert_fail) continue ;;
    # The compiler's own: where it keeps which instructions this processor has.
    __cpu_model | __cpu_indicator_init | _GLOBAL_OFFSET_TABLE_) continue ;;
    esac
    if ! printf '%s\n' "$defined" | grep -qx "$name"; then
        echo "purity: found $name, expected nothing beyond memory functions, abort and assert"
        status=1
    fi
done
for name in $defined; do
    case $name in
    base_* | raft_* | wal_* | kv_* | lease_* | member_* | wire_* | client_* | disk_* | host_*) ;;
    *)
        echo "purity: found the exported name $name, expected a module's prefix"
        status=1
        ;;
    esac
done
exit $status
