/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/api.h"
#include "sim/script/client.h"

#include <stdio.h>

struct lease_object {
    struct script_numbered head; /* Its id. */
    sim_machine_number client;
    int64_t ttl_s;
    uint64_t deadline_ns; /* On the client's clock: believed in up to then. */
    bool is_auto;
};

enum lease_field {
#define LEASE_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

void script_push_lease(lua_State *lua, sim_machine_number client, int64_t lease, int64_t ttl_s,
                       uint64_t deadline_ns)
{
    struct lease_object *object = script_object_new(lua, &script_lease_class, sizeof *object);
    *object = (struct lease_object){.head = {(uint64_t)lease},
                                    .client = client,
                                    .ttl_s = ttl_s,
                                    .deadline_ns = deadline_ns};
}

int64_t script_check_lease(lua_State *lua, int index, const char *call)
{
    const struct lease_object *object = script_object_at(lua, index, &script_lease_class);
    if (object) {
        return (int64_t)object->head.number;
    }
    if (lua_type(lua, index) != LUA_TNUMBER) {
        script_argument_error(lua, index, call, "a lease or its number");
    }
    return script_check_whole(lua, index, call, INT64_MIN, INT64_MAX);
}

static struct lease_object *self(lua_State *lua, const char *method, struct sim_world **world)
{
    struct lease_object *lease = script_object_self(lua, &script_lease_class, method);
    *world = script_run_check(lua, method)->world;
    return lease;
}

uint64_t script_lease_deadline(struct sim_world *world, const void *object)
{
    const struct lease_object *lease = object;
    return lease->is_auto ? sim_client_lease_deadline(world, lease->client, (int64_t)lease->head.number)
                          : lease->deadline_ns;
}

static int call_alive(lua_State *lua)
{
    struct sim_world *world = NULL;
    const struct lease_object *lease = self(lua, "alive", &world);
    lua_pushboolean(lua, script_lease_deadline(world, lease) > sim_machine_local(world, lease->client));
    return 1;
}

static int end_ttl(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    int64_t ttl_s = script_wait_response(wait)->ttl_s;
    if (ttl_s < 0) {
        lua_pushnil(lua);
    } else {
        lua_pushinteger(lua, ttl_s);
    }
    return 1;
}

static int call_ttl(lua_State *lua)
{
    struct sim_world *world = NULL;
    const struct lease_object *lease = self(lua, "ttl", &world);
    const struct wire_request request = {.kind = WIRE_LEASE_TIME_TO_LIVE,
                                         .lease = (int64_t)lease->head.number};
    return script_wait_call(lua, "lease:ttl", lease->client, 0, &request, end_ttl);
}

static int end_keepalive(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    int64_t ttl_s = script_wait_response(wait)->ttl_s;
    struct lease_object *lease = script_object_at(lua, 1, &script_lease_class);
    if (ttl_s <= 0) {
        lease->deadline_ns = 0;
        return script_push_failure(lua, base_status_text(BASE_LEASE_NOT_FOUND), false);
    }
    lease->deadline_ns = (uint64_t)lua_tointeger(lua, 2) + (uint64_t)ttl_s * 1000000000;
    lua_pushinteger(lua, ttl_s);
    return 1;
}

static int call_keepalive(lua_State *lua)
{
    struct sim_world *world = NULL;
    const struct lease_object *lease = self(lua, "keepalive", &world);
    const struct wire_request request = {.kind = WIRE_LEASE_KEEPALIVE, .lease = (int64_t)lease->head.number};
    lua_settop(lua, 1);
    lua_pushinteger(lua, (lua_Integer)sim_machine_local(world, lease->client));
    return script_wait_call(lua, "lease:keepalive", lease->client, 0, &request, end_keepalive);
}

static int call_auto(lua_State *lua)
{
    struct sim_world *world = NULL;
    struct lease_object *lease = self(lua, "auto", &world);
    bool is_on = lua_isnoneornil(lua, 2) || lua_toboolean(lua, 2);
    int64_t id = (int64_t)lease->head.number;
    if (is_on && !lease->is_auto) {
        sim_client_lease_keep(world, lease->client, id, lease->ttl_s, lease->deadline_ns);
    } else if (!is_on && lease->is_auto) {
        uint64_t deadline_ns = sim_client_lease_deadline(world, lease->client, id);
        lease->deadline_ns = deadline_ns;
        sim_client_lease_forget(world, lease->client, id);
    }
    lease->is_auto = is_on;
    return 0;
}

static int end_revoke(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    lua_pushboolean(lua, 1);
    return 1;
}

static int call_revoke(lua_State *lua)
{
    struct sim_world *world = NULL;
    struct lease_object *lease = self(lua, "revoke", &world);
    const struct wire_request request = {.kind = WIRE_LEASE_REVOKE, .lease = (int64_t)lease->head.number};
    if (lease->is_auto) {
        sim_client_lease_forget(world, lease->client, (int64_t)lease->head.number);
        lease->is_auto = false;
    }
    lease->deadline_ns = 0;
    return script_wait_call(lua, "lease:revoke", lease->client, 0, &request, end_revoke);
}

static void get_lease(lua_State *lua, const void *object, size_t field)
{
    const struct lease_object *lease = object;
    (void)field;
    lua_pushinteger(lua, (lua_Integer)lease->head.number);
}

static void print_lease(const void *object, char out[64])
{
    const struct lease_object *lease = object;
    (void)snprintf(out, 64, "lease %llx", (unsigned long long)lease->head.number);
}

void script_lease_open(lua_State *lua)
{
    script_class_open(lua, &script_lease_class);
}

static const luaL_Reg lease_methods[] = {
#define LEASE(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const lease_fields[] = {
#define LEASE_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_lease_class = {
    .name = "lease",
    .methods = lease_methods,
    .fields = lease_fields,
    .field_count = FIELD_COUNT,
    .get = get_lease,
    .print = print_lease,
};
