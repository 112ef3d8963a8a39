/* prelude.lua and tape.lua, put into the program by the build. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_PRELUDE_H
#define SIM_SCRIPT_PRELUDE_H

#include <stddef.h>

extern const unsigned char script_prelude[];
extern const size_t script_prelude_size;
extern const unsigned char script_tape_text[];
extern const size_t script_tape_text_size;

#endif
