/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/api.h"

#include "sim/nearest.h"
#include "sim/script/script.h"
#include "sim/script/text.h"

static const struct script_api_line api_lines[] = {
#define GLOBAL(name, written, text) {"", #name, written, text},
#define VALUE(name, number, text) {"", #name, #name, text},
#define CLUSTER(name, written, text) {"the cluster c", #name, written, text},
#define CLUSTER_LUA(name, written, text) {"the cluster c", #name, written, text},
#define MEMBER(name, written, text) {"a member m", #name, written, text},
#define MEMBER_FIELD(name, text) {"a member m", #name, "m." #name, text},
#define CLIENT(name, written, text) {"a client cli", #name, written, text},
#define CLIENT_LUA(name, written, text) {"a client cli", #name, written, text},
#define CLIENT_FIELD(name, text) {"a client cli", #name, "cli." #name, text},
#define LEASE(name, written, text) {"a lease", #name, written, text},
#define LEASE_FIELD(name, text) {"a lease", #name, "lease." #name, text},
#define WATCH(name, written, text) {"a watch", #name, written, text},
#define WATCH_FIELD(name, text) {"a watch", #name, "watch." #name, text},
#define LOAD(name, written, text) {"a load", #name, written, text},
#define LOAD_FIELD(name, text) {"a load", #name, "load." #name, text},
#define HANDLE(name, written, text) {"a handle", #name, written, text},
#define HANDLE_FIELD(name, text) {"a handle", #name, "handle." #name, text},
#define BACKUP(name, written, text) {"a backup", #name, written, text},
#define BACKUP_FIELD(name, text) {"a backup", #name, "backup." #name, text},
#define DISCOVERY(name, written, text) {"the discovery service", #name, written, text},
#define DISCOVERY_FIELD(name, text) {"the discovery service", #name, "discovery." #name, text},
#include "sim/script/api.def"
};

enum { LINES = sizeof api_lines / sizeof api_lines[0] };

const struct script_api_line *script_api(uint32_t *count)
{
    *count = LINES;
    return api_lines;
}

static const struct script_api_line option_lines[] = {
#define API_OPTION(of, name, written, text) {#of, #name, written, text},
#include "sim/script/api.def"
};

const struct script_api_line *script_api_options(uint32_t *count)
{
    *count = sizeof option_lines / sizeof option_lines[0];
    return option_lines;
}

const char *script_api_nearest_global(const char *name)
{
    const char *names[LINES];
    size_t count = 0;
    for (size_t i = 0; i < LINES; i++) {
        if (api_lines[i].of[0] == '\0') {
            names[count++] = api_lines[i].name;
        }
    }
    return sim_nearest(name, names, count);
}

void script_api_open(lua_State *lua)
{
    script_globals_open(lua);
    script_random_open(lua);
    script_cluster_open(lua);
    script_member_open(lua);
    script_client_open(lua);
    script_lease_open(lua);
    script_watch_open(lua);
    script_load_open(lua);
    script_handle_open(lua);
    script_backup_open(lua);
    script_discovery_open(lua);
    script_prelude_open(lua);
}
