/* What `faultline help lua` writes: the scenario language for editors. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_DEFINE_H
#define SIM_SCRIPT_DEFINE_H

#include <stdio.h>

void script_define(FILE *out);

#endif
