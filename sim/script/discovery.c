/* The discovery service, as a scenario breaks it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/api.h"
#include "sim/script/cluster.h"
#include "sim/script/object.h"

#include <stdio.h>

enum discovery_field {
#define DISCOVERY_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

int script_cluster_discovery(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "discovery");
    if (sim_registry(run->world) == 0) {
        script_error(lua, "c:discovery(): there is none before c:bootstrap{discovery=}");
    }
    (void)script_object_new(lua, &script_discovery_class, 1);
    return 1;
}

static struct sim_world *self(lua_State *lua, const char *method)
{
    (void)script_object_self(lua, &script_discovery_class, method);
    return script_run_check(lua, method)->world;
}

static int call_crash(lua_State *lua)
{
    script_check_done(lua, "discovery:crash()", sim_registry_crash(self(lua, "crash")));
    return 0;
}

static int call_restart(lua_State *lua)
{
    script_check_done(lua, "discovery:restart()", sim_registry_restart(self(lua, "restart")));
    return 0;
}

static int call_pause(lua_State *lua)
{
    struct sim_world *world = self(lua, "pause");
    script_check_done(lua, "discovery:pause()", sim_client_pause(world, sim_registry(world)));
    return 0;
}

static int call_resume(lua_State *lua)
{
    struct sim_world *world = self(lua, "resume");
    script_check_done(lua, "discovery:resume()", sim_client_resume(world, sim_registry(world)));
    return 0;
}

static int call_registered(lua_State *lua)
{
    struct sim_world *world = self(lua, "registered");
    const char *token = script_check_text(lua, 2, "discovery:registered(token)");
    lua_pushinteger(lua, (lua_Integer)sim_registry_count(world, token));
    return 1;
}

static void get_discovery(lua_State *lua, const void *object, size_t field)
{
    const struct sim_world *world = script_run_check(lua, "a field of the discovery service")->world;
    (void)object;
    switch ((enum discovery_field)field) {
    case FIELD_alive:
        lua_pushboolean(lua, sim_registry_is_alive(world));
        break;
    case FIELD_COUNT:
        break;
    }
}

static void print_discovery(const void *object, char out[64])
{
    (void)object;
    (void)snprintf(out, 64, "discovery");
}

void script_discovery_open(lua_State *lua)
{
    script_class_open(lua, &script_discovery_class);
}

static const luaL_Reg discovery_methods[] = {
#define DISCOVERY(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const discovery_fields[] = {
#define DISCOVERY_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_discovery_class = {
    .name = "discovery service",
    .methods = discovery_methods,
    .fields = discovery_fields,
    .field_count = FIELD_COUNT,
    .get = get_discovery,
    .print = print_discovery,
};
