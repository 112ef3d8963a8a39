/* Calls that go on while the scenario does something else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/api.h"
#include "sim/script/client.h"

#include <stdio.h>

/* Its results are a list, kept as the object's user value. */
struct handle_object {
    int results;
    bool is_done;
};

enum handle_field {
#define HANDLE_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

/* The call is over: 1 is the handle, what it returned above it. */
static int end_call(lua_State *lua, int status, lua_KContext context)
{
    struct handle_object *handle = script_object_at(lua, 1, &script_handle_class);
    int count = lua_gettop(lua) - 1;
    (void)status;
    (void)context;
    lua_createtable(lua, count, 0);
    lua_insert(lua, 2);
    for (int i = count; i > 0; i--) {
        lua_rawseti(lua, 2, i);
    }
    (void)lua_setiuservalue(lua, 1, 1);
    handle->results = count;
    handle->is_done = true;
    script_state_of(lua)->run->has_changed = true;
    return 0;
}

/* A coroutine's body: handle, method, client, arguments. */
static int begin_call(lua_State *lua)
{
    lua_callk(lua, lua_gettop(lua) - 2, LUA_MULTRET, 0, end_call);
    return end_call(lua, LUA_OK, 0);
}

int script_client_async(lua_State *lua)
{
    (void)script_client_self(lua, "async");
    const char *name = script_check_text(lua, 2, "cli:async(name, …)");
    struct script_run *run = script_state_of(lua)->run;
    if (!script_class_method(lua, &script_client_class, name)) {
        script_class_refuse(lua, &script_client_class, name);
    }
    lua_replace(lua, 2); /* client, method, arguments */
    lua_pushvalue(lua, 2);
    lua_insert(lua, 1);
    lua_remove(lua, 3); /* method, client, arguments */
    struct handle_object *handle = script_object_new(lua, &script_handle_class, sizeof *handle);
    (void)handle;
    lua_insert(lua, 1);
    int count = lua_gettop(lua);
    lua_pushvalue(lua, 1);
    lua_insert(lua, 1); /* One to answer. */
    lua_pushcfunction(lua, begin_call);
    lua_insert(lua, 2);
    (void)script_run_spawn(lua, run, count);
    return 1;
}

static bool is_done(struct script_run *run, struct script_wait *wait)
{
    const struct handle_object *handle = wait->object;
    (void)run;
    return handle->is_done;
}

static int end_await(lua_State *lua, int status, lua_KContext context)
{
    const struct handle_object *handle = script_object_at(lua, 1, &script_handle_class);
    (void)status;
    (void)context;
    luaL_checkstack(lua, handle->results + 1, "too many results");
    (void)lua_getiuservalue(lua, 1, 1);
    int list = lua_gettop(lua);
    for (int i = 1; i <= handle->results; i++) {
        (void)lua_rawgeti(lua, list, i);
    }
    return handle->results;
}

static int call_await(lua_State *lua)
{
    const struct handle_object *handle = script_object_self(lua, &script_handle_class, "await");
    struct script_wait *wait = script_wait_begin(lua, "handle:await");
    wait->is_true = is_done;
    wait->object = handle;
    return script_wait(lua, wait, UINT64_MAX, end_await);
}

static void get_handle(lua_State *lua, const void *object, size_t field)
{
    const struct handle_object *handle = object;
    if (field == FIELD_done) {
        lua_pushboolean(lua, handle->is_done);
        return;
    }
    if (!handle->is_done || handle->results == 0) {
        lua_pushnil(lua);
        return;
    }
    (void)lua_getiuservalue(lua, 1, 1);
    (void)lua_rawgeti(lua, -1, 1);
    if (field == FIELD_err) {
        bool is_refused = lua_isboolean(lua, -1) && !lua_toboolean(lua, -1) && handle->results > 1;
        lua_pop(lua, 1);
        (void)lua_rawgeti(lua, -1, 2);
        if (!is_refused) {
            lua_pushnil(lua);
        }
    }
}

static void print_handle(const void *object, char out[64])
{
    const struct handle_object *handle = object;
    (void)snprintf(out, 64, "%s", handle->is_done ? "a call that is over" : "a call under way");
}

void script_handle_open(lua_State *lua)
{
    script_class_open(lua, &script_handle_class);
}

static const luaL_Reg handle_methods[] = {
#define HANDLE(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const handle_fields[] = {
#define HANDLE_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_handle_class = {
    .name = "handle",
    .methods = handle_methods,
    .fields = handle_fields,
    .field_count = FIELD_COUNT,
    .get = get_handle,
    .print = print_handle,
};
