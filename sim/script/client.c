/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/client.h"

#include "core/kv/watch.h"
#include "sim/script/api.h"
#include "sim/script/cluster.h"

#include <inttypes.h>
#include <stdio.h>

enum client_field {
#define CLIENT_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

sim_machine_number script_client_self(lua_State *lua, const char *method)
{
    const struct script_client *client = script_object_self(lua, &script_client_class, method);
    (void)script_run_check(lua, method);
    return (sim_machine_number)client->head.number;
}

int script_client_failed(lua_State *lua, const struct script_wait *wait)
{
    const struct wire_response *response = script_wait_response(wait);
    if (response->status == BASE_OK && !wait->is_unknown) {
        return 0;
    }
    return script_push_failure(lua, base_status_text(response->status), wait->is_unknown);
}

/* --- the machine --- */

void script_client_endpoints(lua_State *lua, int index, const char *call, struct sim_client_options *out)
{
    uint64_t members = script_check_members(lua, index, call);
    out->endpoint_count = 0;
    for (sim_machine_number member = 1; member <= SIM_MEMBERS_MAX; member++) {
        if (members & script_member_bit(member)) {
            out->endpoints[out->endpoint_count++] = member;
        }
    }
    if (out->endpoint_count == 0) {
        script_error(lua, "%s: found no endpoints", call);
    }
}

int script_cluster_client(lua_State *lua)
{
    static const struct script_key keys[] = {
        {"endpoints", SCRIPT_ANY, 0, 0, 0, NULL},
        {"timeout", SCRIPT_NS, offsetof(struct sim_client_options, timeout_ns), 1, 0, NULL},
        {"keepalive", SCRIPT_TABLE, 0, 0, 0, NULL},
    };
    static const struct script_key keepalive_keys[] = {
        {"every", SCRIPT_NS, offsetof(struct sim_client_options, keepalive_every_ns), 1, 0, NULL},
        {"timeout", SCRIPT_NS, offsetof(struct sim_client_options, keepalive_timeout_ns), 1, 0, NULL},
    };
    struct script_run *run = script_cluster_self(lua, "client");
    const struct script_path path = {.call = "c:client"};
    struct script_path inner = script_path_in(&path, "keepalive");
    struct sim_client_options options = {.endpoint_count = 0};
    lua_settop(lua, 2);
    script_read_table(lua, 2, &path, keys, 3, &options);
    if (lua_istable(lua, 2)) {
        if (lua_getfield(lua, 2, "endpoints") != LUA_TNIL) {
            script_client_endpoints(lua, -1, "c:client{endpoints=}", &options);
        }
        if (lua_getfield(lua, 2, "keepalive") != LUA_TNIL) {
            options.keepalive_every_ns = UINT64_C(10000000000);
            options.keepalive_timeout_ns = UINT64_C(20000000000);
            script_read_table(lua, -1, &inner, keepalive_keys, 2, &options);
        }
    }
    sim_machine_number machine = sim_client_new(run->world, &options);
    struct script_client *client = script_object_new(lua, &script_client_class, sizeof *client);
    client->head.number = machine;
    return 1;
}

int script_client_pause(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "pause");
    script_check_done(lua, "cli:pause()", sim_client_pause(script_state_of(lua)->run->world, client));
    return 0;
}

int script_client_resume(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "resume");
    script_check_done(lua, "cli:resume()", sim_client_resume(script_state_of(lua)->run->world, client));
    return 0;
}

int script_client_disconnect(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "disconnect");
    sim_client_disconnect(script_state_of(lua)->run->world, client);
    return 0;
}

int script_client_clock(lua_State *lua)
{
    script_clock(lua, script_client_self(lua, "clock"), "cli:clock{drift=, freeze=, skew=, jump=}");
    return 0;
}

static void get_client(lua_State *lua, const void *object, size_t field)
{
    const struct script_client *client = object;
    struct script_run *run = script_run_check(lua, "a field of a client");
    if (field == FIELD_id) {
        lua_pushinteger(lua, (lua_Integer)client->head.number);
    } else {
        script_push_ns(lua, sim_machine_local(run->world, (sim_machine_number)client->head.number));
    }
}

static void print_client(const void *object, char out[64])
{
    const struct script_client *client = object;
    (void)snprintf(out, 64, "c%u", (unsigned)client->head.number);
}

/* --- keys and values --- */

static int call(lua_State *lua, const char *what, sim_machine_number client,
                const struct wire_request *request, lua_KFunction then)
{
    return script_wait_call(lua, what, client, 0, request, then);
}

static int end_put(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    lua_pushinteger(lua, response->revision);
    if (response->result.record_count == 0) {
        return 1;
    }
    script_push_record(lua, &response->result.records[0]);
    return 2;
}

int script_client_put(lua_State *lua)
{
    const struct script_path path = {.call = "cli:put"};
    sim_machine_number client = script_client_self(lua, "put");
    struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_PUT}};
    request.op.key = script_check_bytes(lua, 2, "cli:put(key, value)");
    script_op_put(lua, 4, &path, &request.op);
    bool may_lack_value = (request.op.flags & KV_IGNORE_VALUE) != 0;
    if (!may_lack_value || !lua_isnoneornil(lua, 3)) {
        request.op.value = script_check_bytes(lua, 3, "cli:put(key, value)");
    }
    return call(lua, "cli:put", client, &request, end_put);
}

static int end_get(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct kv_result *result = &script_wait_response(wait)->result;
    if (result->record_count == 0) {
        lua_pushnil(lua);
        return 1;
    }
    const struct kv_record *record = &result->records[0];
    (void)lua_pushlstring(lua, record->value.data ? (const char *)record->value.data : "",
                          record->value.size);
    script_push_record(lua, record);
    return 2;
}

int script_client_get(lua_State *lua)
{
    const struct script_path path = {.call = "cli:get"};
    sim_machine_number client = script_client_self(lua, "get");
    struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_RANGE}};
    request.op.key = script_check_bytes(lua, 2, "cli:get(key)");
    script_op_range(lua, 3, &path, &request.op);
    return call(lua, "cli:get", client, &request, end_get);
}

static int end_range(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    script_push_range(lua, &response->result, response->revision);
    return 1;
}

/* The end of a range at 3, which may be left out; answers where options stand. */
static int take_end(lua_State *lua, const char *written, struct kv_op *op)
{
    if (lua_isnoneornil(lua, 3)) {
        return 4;
    }
    if (lua_istable(lua, 3)) {
        return 3;
    }
    op->range_end = script_check_bytes(lua, 3, written);
    return 4;
}

int script_client_range(lua_State *lua)
{
    const struct script_path path = {.call = "cli:range"};
    sim_machine_number client = script_client_self(lua, "range");
    struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_RANGE}};
    request.op.key = script_check_bytes(lua, 2, "cli:range(key, end)");
    int options = take_end(lua, "cli:range(key, end)", &request.op);
    script_op_range(lua, options, &path, &request.op);
    return call(lua, "cli:range", client, &request, end_range);
}

static int end_delete(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    lua_pushinteger(lua, response->revision);
    lua_pushinteger(lua, response->result.count);
    if (response->result.record_count == 0) {
        return 2;
    }
    script_push_range(lua, &response->result, response->revision);
    return 3;
}

int script_client_delete(lua_State *lua)
{
    const struct script_path path = {.call = "cli:delete"};
    sim_machine_number client = script_client_self(lua, "delete");
    struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_DELETE_RANGE}};
    request.op.key = script_check_bytes(lua, 2, "cli:delete(key, end)");
    int options = take_end(lua, "cli:delete(key, end)", &request.op);
    script_op_delete(lua, options, &path, &request.op);
    return call(lua, "cli:delete", client, &request, end_delete);
}

static int end_txn(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    script_txn_push(lua, 2, &response->result, response->revision);
    return 1;
}

int script_client_txn(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "txn");
    struct wire_request request = {.kind = WIRE_KV, .op = {.kind = KV_TXN}};
    request.op.txn = script_txn_read(lua, 2);
    return call(lua, "cli:txn", client, &request, end_txn);
}

static int end_revision(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    lua_pushinteger(lua, script_wait_response(wait)->revision);
    return 1;
}

int script_client_compact(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "compact");
    struct wire_request request = {.kind = WIRE_COMPACT, .physical = true};
    request.revision = script_check_whole(lua, 2, "cli:compact(rev)", INT64_MIN, INT64_MAX);
    return call(lua, "cli:compact", client, &request, end_revision);
}

/* --- leases --- */

static int end_grant(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    struct script_run *run = script_state_of(lua)->run;
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    sim_machine_number client = script_client_self(lua, "grant");
    uint64_t asked_ns = (uint64_t)lua_tointeger(lua, 3);
    uint64_t ttl_ns = (uint64_t)response->ttl_s * 1000000000;
    (void)run;
    script_push_lease(lua, client, response->lease, response->ttl_s, asked_ns + ttl_ns);
    return 1;
}

int script_client_grant(lua_State *lua)
{
    static const char written[] = "cli:grant(ttl)";
    sim_machine_number client = script_client_self(lua, "grant");
    lua_Number ttl_s = lua_type(lua, 2) == LUA_TNUMBER ? lua_tonumber(lua, 2) : 0.5;
    /* Too much or too little is for the cluster to say. */
    if (!(ttl_s >= -1e18 && ttl_s <= 1e18) || ttl_s != (lua_Number)(int64_t)ttl_s) {
        script_argument_error(lua, 2, written, "a whole number of seconds");
    }
    struct wire_request request = {.kind = WIRE_LEASE_GRANT, .ttl_s = (int64_t)ttl_s};
    lua_settop(lua, 2);
    lua_pushinteger(lua, (lua_Integer)sim_machine_local(script_state_of(lua)->run->world, client));
    return call(lua, "cli:grant", client, &request, end_grant);
}

static int end_leases(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    lua_createtable(lua, (int)response->lease_count, 0);
    for (uint32_t i = 0; i < response->lease_count; i++) {
        lua_pushinteger(lua, response->leases[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int script_client_leases(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "leases");
    struct wire_request request = {.kind = WIRE_LEASE_LEASES};
    return call(lua, "cli:leases", client, &request, end_leases);
}

/* --- the cluster --- */

static void set_hex(lua_State *lua, const char *name, uint64_t id)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%016" PRIx64, id);
    (void)lua_pushstring(lua, text);
    lua_setfield(lua, -2, name);
}

static void set_whole(lua_State *lua, const char *name, uint64_t value)
{
    lua_pushinteger(lua, (lua_Integer)value);
    lua_setfield(lua, -2, name);
}

static int end_members(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    lua_createtable(lua, (int)response->member_count, 0);
    for (uint32_t i = 0; i < response->member_count; i++) {
        const struct wire_member *member = &response->members[i];
        lua_createtable(lua, 0, 3);
        set_hex(lua, "id", member->id);
        (void)lua_pushlstring(lua, member->name.data ? (const char *)member->name.data : "",
                              member->name.size);
        lua_setfield(lua, -2, "name");
        (void)lua_pushlstring(lua, member->peer_url.data ? (const char *)member->peer_url.data : "",
                              member->peer_url.size);
        lua_setfield(lua, -2, "url");
        lua_pushboolean(lua, member->is_learner);
        lua_setfield(lua, -2, "learner");
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int script_client_members(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "members");
    struct wire_request request = {.kind = WIRE_MEMBER_LIST};
    return call(lua, "cli:members", client, &request, end_members);
}

static int end_alarms(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    lua_createtable(lua, (int)response->member_count, 0);
    for (uint32_t i = 0; i < response->member_count; i++) {
        const struct base_bytes word = response->members[i].name;
        lua_createtable(lua, 0, 2);
        set_hex(lua, "id", response->members[i].id);
        (void)lua_pushlstring(lua, (const char *)word.data, word.size);
        lua_setfield(lua, -2, "alarm");
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int script_client_alarms(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "alarms");
    const struct wire_request request = {.kind = WIRE_ALARM};
    return call(lua, "cli:alarms", client, &request, end_alarms);
}

static int end_disarm(lua_State *lua, int status, lua_KContext context)
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

int script_client_disarm(lua_State *lua)
{
    enum { CLEAR = 3 }; /* As in struct wire_request. */
    sim_machine_number client = script_client_self(lua, "disarm");
    const struct wire_request request = {.kind = WIRE_ALARM, .alarm = CLEAR};
    return call(lua, "cli:disarm", client, &request, end_disarm);
}

static int end_status(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    lua_createtable(lua, 0, 6);
    set_hex(lua, "cluster_id", response->cluster_id);
    set_hex(lua, "member_id", response->member_id);
    if (response->leader != RAFT_NONE) {
        set_hex(lua, "leader", response->leader);
    }
    set_whole(lua, "revision", (uint64_t)response->revision);
    set_whole(lua, "term", response->term);
    set_whole(lua, "applied", response->applied);
    return 1;
}

int script_client_status(lua_State *lua)
{
    sim_machine_number client = script_client_self(lua, "status");
    sim_machine_number member = script_check_member(lua, 2, "cli:status(m)");
    struct wire_request request = {.kind = WIRE_STATUS};
    return script_wait_call(lua, "cli:status", client, member, &request, end_status);
}

/* --- cli itself --- */

void script_client_open(lua_State *lua)
{
    script_class_open(lua, &script_client_class);
}

static const luaL_Reg client_methods[] = {
#define CLIENT(name, written, text) {#name, script_client_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const client_fields[] = {
#define CLIENT_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_client_class = {
    .name = "client",
    .methods = client_methods,
    .fields = client_fields,
    .field_count = FIELD_COUNT,
    .get = get_client,
    .print = print_client,
};
