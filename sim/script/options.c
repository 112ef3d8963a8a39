/* The world that a scenario's table asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/file.h"

#include "sim/script/taping.h"

#include <assert.h>

#define FIELD(key, kind, type, member, low, high)                                                            \
    {                                                                                                        \
        key, kind, offsetof(struct type, member), low, high, NULL                                            \
    }
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { ENTRIES_MAX = 100000000 };

/* What is read of a cluster beside the world's own options. */
struct cluster_reading {
    struct sim_cluster_options options;
    uint64_t spread_ns; /* UINT64_MAX: not said. */
    const char *token;
    uint32_t read;
    uint32_t start;
};

static const char *const read_choices[] = {"quorum", "lease", NULL};
static const char *const start_choices[] = {"bootstrap", "none", NULL};

#define CLUSTER_FIELD(key, kind, member, low, high)                                                          \
    FIELD(key, kind, cluster_reading, options.member, low, high)

static const struct script_key cluster_keys[] = {
    CLUSTER_FIELD("members", SCRIPT_U32, members, 1, SIM_MEMBERS_MAX),
    CLUSTER_FIELD("learners", SCRIPT_U32, learners, 0, SIM_MEMBERS_MAX),
    CLUSTER_FIELD("heartbeat", SCRIPT_NS, heartbeat_ns, 1000, 0),
    CLUSTER_FIELD("election", SCRIPT_NS, election_ns, 1000, 0),
    CLUSTER_FIELD("tick", SCRIPT_NS, tick_ns, 1000, 0),
    FIELD("election_spread", SCRIPT_NS, cluster_reading, spread_ns, 0, 0),
    CLUSTER_FIELD("pre_vote", SCRIPT_BOOL, pre_vote, 0, 0),
    CLUSTER_FIELD("check_quorum", SCRIPT_BOOL, check_quorum, 0, 0),
    CLUSTER_FIELD("strict_timing", SCRIPT_BOOL, strict_timing, 0, 0),
    CLUSTER_FIELD("snapshot_entries", SCRIPT_U64, snapshot_entries, 1, ENTRIES_MAX),
    CLUSTER_FIELD("catchup_entries", SCRIPT_U64, catchup_entries, 0, ENTRIES_MAX),
    CLUSTER_FIELD("max_inflight", SCRIPT_U32, max_inflight, 1, 1000000),
    CLUSTER_FIELD("max_message", SCRIPT_BYTES, max_message_bytes, 1, UINT64_C(1) << 40),
    CLUSTER_FIELD("max_request", SCRIPT_BYTES, max_request_bytes, 1, UINT64_C(1) << 30),
    CLUSTER_FIELD("segment", SCRIPT_BYTES, segment_bytes, 512, UINT64_C(1) << 40),
    CLUSTER_FIELD("preallocate", SCRIPT_BYTES, allocate_bytes, 0, UINT64_C(1) << 30),
    CLUSTER_FIELD("quota", SCRIPT_BYTES, quota_bytes, 0, UINT64_C(1) << 40),
    CLUSTER_FIELD("corrupt_check", SCRIPT_NS, corrupt_check_ns, 1, 0),
    CLUSTER_FIELD("progress_notify", SCRIPT_NS, progress_notify_ns, 1, 0),
    CLUSTER_FIELD("lease_checkpoint", SCRIPT_BOOL, lease_checkpoint, 0, 0),
    CLUSTER_FIELD("lease_fencing", SCRIPT_BOOL, lease_fencing, 0, 0),
    CLUSTER_FIELD("strict_reconfig", SCRIPT_BOOL, strict_reconfig, 0, 0),
    CLUSTER_FIELD("max_learners", SCRIPT_U32, learners_max, 0, SIM_MEMBERS_MAX),
    {"read", SCRIPT_CHOICE, offsetof(struct cluster_reading, read), 0, 0, read_choices},
    FIELD("token", SCRIPT_TEXT, cluster_reading, token, 0, 0),
    {"start", SCRIPT_CHOICE, offsetof(struct cluster_reading, start), 0, 0, start_choices},
    {"member", SCRIPT_TABLE, 0, 0, 0, NULL},
};

/* One member's own: what belongs to the cluster as a whole is not among them. */
static const struct script_key *const member_keys = cluster_keys + 2;
enum { MEMBER_KEYS = COUNT(cluster_keys) - 4 };

static const struct script_key link_keys[] = {
    FIELD("latency", SCRIPT_DIST, sim_link_options, latency, 0, 0),
    FIELD("loss", SCRIPT_PPM, sim_link_options, loss_ppm, 0, 0),
    FIELD("duplicate", SCRIPT_PPM, sim_link_options, duplicate_ppm, 0, 0),
    FIELD("reorder", SCRIPT_PPM, sim_link_options, reorder_ppm, 0, 0),
    FIELD("corrupt", SCRIPT_PPM, sim_link_options, corrupt_ppm, 0, 0),
    FIELD("bandwidth", SCRIPT_BYTES, sim_link_options, bandwidth_bytes, 0, UINT64_C(1) << 40),
    FIELD("queue", SCRIPT_U32, sim_link_options, queue_frames, 1, 1000000),
    FIELD("window", SCRIPT_BYTES, sim_link_options, window_bytes, 1, UINT64_C(1) << 40),
};

static const struct script_key disk_keys[] = {
    FIELD("write", SCRIPT_DIST, sim_disk_options, write, 0, 0),
    FIELD("sync", SCRIPT_DIST, sim_disk_options, sync, 0, 0),
};

static const struct script_key clock_keys[] = {
    FIELD("drift", SCRIPT_PPM, sim_options, drift_ppm, 0, 0),
};

static const struct script_key cpu_keys[] = {
    FIELD("message", SCRIPT_NS, sim_cpu_options, message_ns, 0, 0),
    FIELD("entry", SCRIPT_NS, sim_cpu_options, entry_ns, 0, 0),
    FIELD("request", SCRIPT_NS, sim_cpu_options, request_ns, 0, 0),
};

static void begin_cluster(struct cluster_reading *reading, const struct sim_cluster_options *defaults)
{
    *reading = (struct cluster_reading){.options = *defaults,
                                        .spread_ns = UINT64_MAX,
                                        .read = defaults->read_lease ? 1 : 0,
                                        .start = defaults->start_none ? 1 : 0};
}

static void end_cluster(lua_State *lua, const struct script_path *path, const struct cluster_reading *reading,
                        struct sim_cluster_options *out)
{
    *out = reading->options;
    out->read_lease = reading->read == 1;
    out->start_none = reading->start == 1;
    uint64_t tick_ns = out->tick_ns > 0 ? out->tick_ns : out->heartbeat_ns;
    if (reading->spread_ns == 0) {
        out->election_spread_ns = tick_ns; /* One tick to draw from. */
    } else if (reading->spread_ns != UINT64_MAX) {
        out->election_spread_ns = reading->spread_ns;
    }
    if (reading->token) {
        size_t size = strlen(reading->token);
        if (size == 0 || size >= sizeof out->token) {
            struct script_path inner = script_path_in(path, "token");
            script_path_error(lua, &inner, "found %zu bytes, expected 1 to %zu", size, sizeof out->token - 1);
        }
        memcpy(out->token, reading->token, size + 1);
    }
}

/* `member = {[3] = {…}}`, the table on top of the stack. */
static void read_members(lua_State *lua, const struct script_path *path, struct sim_options *out)
{
    uint32_t count = out->cluster.members + out->cluster.learners;
    int table = lua_gettop(lua);
    lua_Integer wrong = 0;
    lua_pushnil(lua);
    while (lua_next(lua, table) != 0) {
        lua_pop(lua, 1);
        lua_Integer number = lua_isinteger(lua, -1) ? lua_tointeger(lua, -1) : -1;
        if (number < 1 || number > SIM_MEMBERS_MAX || (uint32_t)number > count) {
            wrong = number;
            char found[96];
            script_describe(lua, -1, found);
            script_path_error(lua, path, "found %s as a key, expected the number of a member, 1 to %u", found,
                              (unsigned)count);
        }
    }
    assert(wrong == 0);
    for (uint32_t number = 1; number <= count; number++) {
        if (lua_rawgeti(lua, table, number) != LUA_TNIL) {
            struct cluster_reading reading;
            begin_cluster(&reading, &out->cluster);
            script_read_table(lua, -1, path, member_keys, MEMBER_KEYS, &reading);
            end_cluster(lua, path, &reading, &out->member[number]);
            out->has_member[number] = true;
        }
        lua_pop(lua, 1);
    }
}

static void read_cluster(lua_State *lua, int index, const struct script_path *path, struct sim_options *out)
{
    struct cluster_reading reading;
    begin_cluster(&reading, &out->cluster);
    script_read_table(lua, index, path, cluster_keys, COUNT(cluster_keys), &reading);
    end_cluster(lua, path, &reading, &out->cluster);
    if (lua_istable(lua, index) && lua_getfield(lua, index, "member") != LUA_TNIL) {
        struct script_path inner = script_path_in(path, "member");
        read_members(lua, &inner, out);
    }
}

void script_link_read(lua_State *lua, int index, const struct script_path *path, struct sim_link_options *out)
{
    script_read_table(lua, index, path, link_keys, COUNT(link_keys), out);
}

/* `checks = {lease = false}` */
static void read_checks(lua_State *lua, int index, const struct script_path *path, struct sim_options *out)
{
    struct script_key keys[CHECK_COUNT];
    bool is_on[CHECK_COUNT];
    for (int judge = 0; judge < CHECK_COUNT; judge++) {
        is_on[judge] = true;
        keys[judge] = (struct script_key){.name = check_info((enum check_judge)judge)->name,
                                          .type = SCRIPT_BOOL,
                                          .offset = (size_t)judge * sizeof is_on[0]};
    }
    script_read_table(lua, index, path, keys, CHECK_COUNT, is_on);
    for (int judge = 0; judge < CHECK_COUNT; judge++) {
        out->checks_off |= is_on[judge] ? 0 : UINT64_C(1) << judge;
    }
}

static void read_tolerance(lua_State *lua, int index, const struct script_path *path, struct sim_options *out)
{
    static const char *const choices[] = {"exceeded", "lossy", NULL};
    uint32_t choice = 2;
    const struct script_key key = {.name = "tolerance", .type = SCRIPT_CHOICE, .choices = choices};
    if (!lua_isnil(lua, index)) {
        script_read_value(lua, index, path, &key, &choice);
    }
    out->tolerance_exceeded = choice == 0;
    out->tolerance_lossy = choice == 1;
}

/* Push the value of a key and answer its path. */
static struct script_path push_key(lua_State *lua, int index, const struct script_path *path, const char *key)
{
    (void)lua_getfield(lua, index, key);
    return script_path_in(path, key);
}

/* The same of a table that may depend on the point of an experiment's grid. */
static struct script_path push_table(lua_State *lua, int index, int point, const struct script_path *path,
                                     const char *key)
{
    struct script_path inner = push_key(lua, index, path, key);
    if (lua_isfunction(lua, -1)) {
        lua_pushvalue(lua, point);
        lua_call(lua, 1, 1);
    }
    script_tape_option(lua, key);
    return inner;
}

static void check_whole(lua_State *lua, const struct script_path *path, const struct sim_options *options)
{
    char text[256];
    const char *refusal = sim_options_check(options, text, sizeof text);
    if (refusal) {
        struct script_path inner = script_path_in(path, "cluster");
        script_path_error(lua, &inner, "%s", refusal);
    }
}

void script_options_read(lua_State *lua, int index, int point, const struct script_path *path,
                         struct sim_options *out)
{
    static const struct script_key limit = {.name = "limit", .type = SCRIPT_NS, .min = 1};
    int top = lua_gettop(lua);
    index = lua_absindex(lua, index);
    sim_options_init(out);
    struct script_path inner = push_table(lua, index, point, path, "cluster");
    read_cluster(lua, lua_gettop(lua), &inner, out);
    inner = push_table(lua, index, point, path, "network");
    script_link_read(lua, -1, &inner, &out->network);
    inner = push_table(lua, index, point, path, "disk");
    script_read_table(lua, -1, &inner, disk_keys, COUNT(disk_keys), &out->disk);
    inner = push_table(lua, index, point, path, "clock");
    script_read_table(lua, -1, &inner, clock_keys, COUNT(clock_keys), out);
    inner = push_table(lua, index, point, path, "cpu");
    script_read_table(lua, -1, &inner, cpu_keys, COUNT(cpu_keys), &out->cpu);
    inner = push_key(lua, index, path, "checks");
    script_tape_option(lua, "checks");
    read_checks(lua, -1, &inner, out);
    inner = push_key(lua, index, path, "tolerance");
    script_tape_option(lua, "tolerance");
    read_tolerance(lua, -1, &inner, out);
    inner = push_key(lua, index, path, "limit");
    script_tape_option(lua, "limit");
    if (!lua_isnil(lua, -1)) {
        script_read_value(lua, -1, &inner, &limit, &out->limit_ns);
    }
    check_whole(lua, path, out);
    lua_settop(lua, top);
}
