/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"

const char *report_version(void)
{
    return "0.1.0";
}
