/* Configuration changes as scripts write them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONFORMANCE_CHANGES_H
#define TESTS_CONFORMANCE_CHANGES_H

#include "core/raft/types.h"

/* Add "v1 l2 r3 u4" to `change`. false: `out` says what is wrong. */
bool conformance_parse_changes(const char *text, struct raft_conf_change *change, struct base_buffer *out);

#endif
