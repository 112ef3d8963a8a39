/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cmd.h"

int cmd_bench(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return CMD_UNJUDGED;
}
