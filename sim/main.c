/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"

#include <stdio.h>

int main(void)
{
    printf("faultline %s\n", report_version());
    return 0;
}
