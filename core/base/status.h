/* Status codes: the expected refusals, from a store operation to a client call. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_STATUS_H
#define CORE_BASE_STATUS_H

enum base_status {
#define STATUS(name, text) BASE_##name,
#include "core/base/status.def"
#undef STATUS
    BASE_STATUS_COUNT
};

/* The code's text, as a scenario's err.code shows it. */
const char *base_status_text(enum base_status status);

#endif
