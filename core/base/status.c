/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/status.h"

#include <assert.h>

const char *base_status_text(enum base_status status)
{
    static const char *const texts[] = {
#define STATUS(name, text) text,
#include "core/base/status.def"
#undef STATUS
    };
    assert((unsigned)status < BASE_STATUS_COUNT);
    return texts[status];
}
