/* What is on the members' disks, as files of the machine this program runs on. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_EXPORT_H
#define SIM_EXPORT_H

#include "sim/world.h"

/* Write every member's directory under `folder`: FOLDER/m1/wal/… . NULL, or the path
 * that could not be made or written; valid until the next call. */
const char *sim_world_export(struct sim_world *world, const char *folder);

#endif
