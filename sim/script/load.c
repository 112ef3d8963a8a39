/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/load.h"

#include "sim/script/api.h"
#include "sim/script/client.h"
#include "sim/script/cluster.h"

#include <math.h>
#include <stdio.h>

struct load_object {
    struct sim_load *load; /* The world's. */
};

enum load_field {
#define LOAD_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

/* Fractions of requests become weights in thousandths. */
static void read_mix(lua_State *lua, const struct script_path *path, struct sim_load_options *out)
{
    static const char *const names[] = {
        [SIM_LOAD_PUT] = "put", [SIM_LOAD_GET] = "get",     [SIM_LOAD_RANGE] = "range", [SIM_LOAD_DELETE] = "delete",
        [SIM_LOAD_TXN] = "txn", [SIM_LOAD_WATCH] = "watch", [SIM_LOAD_LEASE] = "lease", [SIM_LOAD_LOCK] = "lock"};
    struct script_key keys[SIM_LOAD_KINDS];
    double weights[SIM_LOAD_KINDS] = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < SIM_LOAD_KINDS; i++) {
        keys[i] = (struct script_key){
            .name = names[i], .type = SCRIPT_NUMBER, .offset = i * sizeof weights[0]};
    }
    script_read_table(lua, -1, path, keys, SIM_LOAD_KINDS, weights);
    for (size_t i = 0; i < SIM_LOAD_KINDS; i++) {
        if (!(weights[i] >= 0 && weights[i] <= 1000000)) {
            struct script_path inner = script_path_in(path, names[i]);
            script_path_error(lua, &inner, "found %.12g, expected a weight from 0 to 1000000", weights[i]);
        }
        out->mix[i] = (uint32_t)(weights[i] * 1000 + 0.5);
        sum += out->mix[i];
    }
    if (sum == 0) {
        script_path_error(lua, path, "found no weight above 0, expected one at least");
    }
}

struct load_reading {
    struct sim_load_options options;
    double rate; /* NAN: not said. */
    uint32_t pick;
};

#define OPTION(key, kind, member, low, high) \
    {key, kind, offsetof(struct load_reading, options.member), low, high, NULL}

static void read_load(lua_State *lua, struct load_reading *out)
{
    static const char *const picks[] = {
        [SIM_PICK_UNIFORM] = "uniform", [SIM_PICK_ZIPF] = "zipf", [SIM_PICK_HOT] = "hot", [SIM_PICK_HOT + 1] = NULL};
    static const struct script_key keys[] = {
        OPTION("clients", SCRIPT_U32, clients, 1, 2048),
        OPTION("keys", SCRIPT_U32, keys, 1, 10000000),
        OPTION("value", SCRIPT_U32, value_bytes, 0, 1048576),
        OPTION("serializable", SCRIPT_BOOL, is_serializable, 0, 0),
        OPTION("pinned", SCRIPT_BOOL, is_pinned, 0, 0),
        OPTION("timeout", SCRIPT_NS, client.timeout_ns, 1, 0),
        {"rate", SCRIPT_NUMBER, offsetof(struct load_reading, rate), 0, 0, NULL},
        {"pick", SCRIPT_CHOICE, offsetof(struct load_reading, pick), 0, 0, picks},
        {"mix", SCRIPT_TABLE, 0, 0, 0, NULL},
        {"endpoints", SCRIPT_ANY, 0, 0, 0, NULL},
    };
    const struct script_path path = {.call = "c:load"};
    script_read_table(lua, 2, &path, keys, sizeof keys / sizeof keys[0], out);
    if (!isnan(out->rate)) {
        if (!(out->rate >= 0.001 && out->rate <= 1e9)) {
            struct script_path inner = script_path_in(&path, "rate");
            script_path_error(lua, &inner, "found %.12g, expected 0.001 to 1e9 requests a second", out->rate);
        }
        out->options.rate_millihertz = (uint64_t)(out->rate * 1000 + 0.5);
    }
    out->options.pick = (enum sim_load_pick)out->pick;
    if (lua_istable(lua, 2)) {
        if (lua_getfield(lua, 2, "mix") != LUA_TNIL) {
            struct script_path inner = script_path_in(&path, "mix");
            read_mix(lua, &inner, &out->options);
        }
        if (lua_getfield(lua, 2, "endpoints") != LUA_TNIL) {
            script_client_endpoints(lua, -1, "c:load{endpoints=}", &out->options.client);
        }
    }
}

int script_cluster_load(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "load");
    struct load_reading reading = {.options = {.clients = 1, .keys = 100, .value_bytes = 64}, .rate = NAN};
    reading.options.mix[SIM_LOAD_PUT] = 1000;
    reading.options.mix[SIM_LOAD_GET] = 1000;
    lua_settop(lua, 2);
    read_load(lua, &reading);
    struct load_object *object = script_object_new(lua, &script_load_class, sizeof *object);
    object->load = sim_load_start(run->world, &reading.options);
    return 1;
}

static struct sim_load *self(lua_State *lua, const char *method)
{
    const struct load_object *object = script_object_self(lua, &script_load_class, method);
    (void)script_run_check(lua, method);
    return object->load;
}

static int call_stop(lua_State *lua)
{
    sim_load_stop(self(lua, "stop"));
    return 0;
}

static int call_latency(lua_State *lua)
{
    struct sim_load *load = self(lua, "latency");
    double quantile = lua_type(lua, 2) == LUA_TNUMBER ? lua_tonumber(lua, 2) : -1;
    if (!(quantile >= 0 && quantile <= 1)) {
        script_argument_error(lua, 2, "load:latency(q)", "a quantile from 0 to 1");
    }
    uint64_t latency_ns = sim_load_latency(load, (uint32_t)(quantile * 1e6 + 0.5));
    if (latency_ns == 0) {
        lua_pushnil(lua);
    } else {
        script_push_ns(lua, latency_ns);
    }
    return 1;
}

static void get_load(lua_State *lua, const void *object, size_t field)
{
    const struct load_object *load = object;
    struct sim_load_counts counts;
    sim_load_counts(load->load, &counts);
    uint64_t value = 0;
    switch ((enum load_field)field) {
    case FIELD_offered: value = counts.offered; break;
    case FIELD_ok: value = counts.ok; break;
    case FIELD_failed: value = counts.failed; break;
    case FIELD_unknown: value = counts.unknown; break;
    case FIELD_COUNT: break;
    }
    lua_pushinteger(lua, (lua_Integer)value);
}

static void print_load(const void *object, char out[64])
{
    (void)object;
    (void)snprintf(out, 64, "load");
}

void script_load_open(lua_State *lua)
{
    script_class_open(lua, &script_load_class);
}

static const luaL_Reg load_methods[] = {
#define LOAD(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const load_fields[] = {
#define LOAD_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_load_class = {
    .name = "load",
    .methods = load_methods,
    .fields = load_fields,
    .field_count = FIELD_COUNT,
    .get = get_load,
    .print = print_load,
};
