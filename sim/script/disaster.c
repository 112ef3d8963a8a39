/* What an operator does when a cluster is beyond what it survives by itself: backups,
 * new clusters from them, and a new cluster from one survivor. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/cluster.h"

int script_cluster_backup(lua_State *lua)
{
    (void)script_cluster_self(lua, "backup");
    script_error(lua, "c:backup: not available yet");
}

int script_cluster_restore(lua_State *lua)
{
    (void)script_cluster_self(lua, "restore");
    script_error(lua, "c:restore: not available yet");
}

int script_cluster_force_new_cluster(lua_State *lua)
{
    (void)script_cluster_self(lua, "force_new_cluster");
    script_error(lua, "c:force_new_cluster: not available yet");
}
