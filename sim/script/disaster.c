/* What an operator does when a cluster is beyond what it survives by itself: backups,
 * new clusters from them, and a new cluster from one survivor. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/backup.h"
#include "sim/script/api.h"
#include "sim/script/client.h"
#include "sim/script/cluster.h"
#include "sim/script/object.h"

#include <inttypes.h>
#include <stdio.h>

enum backup_field {
#define BACKUP_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

struct backup_object {
    size_t size;
    uint8_t bytes[]; /* Of the file. */
};

static struct base_bytes file_of(const struct backup_object *backup)
{
    return (struct base_bytes){.data = backup->bytes, .size = backup->size};
}

static struct backup_object *push_backup(lua_State *lua, struct base_bytes file)
{
    struct backup_object *backup =
        script_object_new(lua, &script_backup_class, sizeof *backup + file.size);
    backup->size = file.size;
    if (file.size > 0) {
        memcpy(backup->bytes, file.data, file.size);
    }
    return backup;
}

/* --- taking one: piece after piece over one connection --- */

enum { PIECES = 3, NUMBER = 4, OFFSET = 5 }; /* Where they are on the stack. */

static int piece_came(lua_State *lua, int status, lua_KContext context);

static int ask_piece(lua_State *lua)
{
    struct script_run *run = script_run_check(lua, "c:backup(m)");
    const struct wire_request request = {
        .kind = WIRE_BACKUP,
        .watch = (uint64_t)lua_tointeger(lua, NUMBER),
        .revision = lua_tointeger(lua, OFFSET),
    };
    sim_machine_number member = script_check_member(lua, 2, "c:backup(m)");
    return script_wait_call(lua, "c:backup", script_cluster_admin(lua, run), member, &request, piece_came);
}

static int piece_came(lua_State *lua, int status, lua_KContext context)
{
    const struct script_wait *wait = (const struct script_wait *)context;
    int failed = script_client_failed(lua, wait);
    (void)status;
    if (failed) {
        return failed;
    }
    const struct wire_response *response = script_wait_response(wait);
    (void)lua_pushlstring(lua, (const char *)response->data.data, response->data.size);
    lua_rawseti(lua, PIECES, (lua_Integer)lua_rawlen(lua, PIECES) + 1);
    if (response->result.more) {
        lua_pushinteger(lua, response->lease);
        lua_replace(lua, NUMBER);
        lua_pushinteger(lua, lua_tointeger(lua, OFFSET) + (lua_Integer)response->data.size);
        lua_replace(lua, OFFSET);
        return ask_piece(lua);
    }
    luaL_Buffer all;
    luaL_buffinit(lua, &all);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, PIECES); i++) {
        (void)lua_rawgeti(lua, PIECES, i);
        luaL_addvalue(&all);
    }
    luaL_pushresult(&all);
    size_t size = 0;
    const char *bytes = lua_tolstring(lua, -1, &size);
    (void)push_backup(lua, (struct base_bytes){.data = (const uint8_t *)bytes, .size = size});
    return 1;
}

int script_cluster_backup(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "backup");
    (void)script_check_member(lua, 2, "c:backup(m)");
    lua_settop(lua, 2);
    lua_newtable(lua);
    lua_pushinteger(lua, 0);
    lua_pushinteger(lua, 0);
    sim_operator_acted(run->world);
    return ask_piece(lua);
}

/* --- a backup's own --- */

static struct backup_object *self(lua_State *lua, const char *method)
{
    return script_object_self(lua, &script_backup_class, method);
}

static int call_truncate(lua_State *lua)
{
    struct backup_object *backup = self(lua, "truncate");
    int64_t size = script_check_whole(lua, 2, "backup:truncate(n)", 0, (int64_t)backup->size);
    backup->size = (size_t)size;
    lua_settop(lua, 1);
    return 1;
}

static int call_flip(lua_State *lua)
{
    struct backup_object *backup = self(lua, "flip");
    if (backup->size == 0) {
        script_error(lua, "backup:flip(offset): there is nothing left of it");
    }
    int64_t offset = script_check_whole(lua, 2, "backup:flip(offset)", 0, (int64_t)backup->size - 1);
    backup->bytes[offset] ^= 1;
    lua_settop(lua, 1);
    return 1;
}

static int call_copy(lua_State *lua)
{
    (void)push_backup(lua, file_of(self(lua, "copy")));
    return 1;
}

static int call_data(lua_State *lua)
{
    const struct backup_object *backup = self(lua, "data");
    (void)lua_pushlstring(lua, (const char *)backup->bytes, backup->size);
    return 1;
}

static void push_hex(lua_State *lua, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%016" PRIx64, value);
    (void)lua_pushstring(lua, text);
}

/* What a damaged one says of itself is nobody's business: nil. */
static void get_backup(lua_State *lua, const void *object, size_t field)
{
    const struct backup_object *backup = object;
    struct member_backup_info info = {0};
    bool is_good = member_backup_read(file_of(backup), &info) == BASE_OK;
    if (field == FIELD_size) {
        lua_pushinteger(lua, (lua_Integer)backup->size);
        return;
    }
    if (!is_good) {
        lua_pushnil(lua);
        return;
    }
    switch ((enum backup_field)field) {
    case FIELD_revision: lua_pushinteger(lua, info.revision); break;
    case FIELD_index: lua_pushinteger(lua, (lua_Integer)info.index); break;
    case FIELD_hash: push_hex(lua, info.store_hash); break;
    case FIELD_cluster_id: push_hex(lua, info.cluster_id); break;
    case FIELD_size:
    case FIELD_COUNT: break;
    }
}

static void print_backup(const void *object, char out[64])
{
    const struct backup_object *backup = object;
    (void)snprintf(out, 64, "backup of %zu bytes", backup->size);
}

/* --- a new cluster from one --- */

struct restore_options {
    const char *token;
    uint64_t bump_revision;
    bool mark_compacted;
    uint64_t within_ns;
};

/* The file at `slot`: a backup, or its bytes. */
static struct base_bytes check_file(lua_State *lua, int slot)
{
    const struct backup_object *backup = script_object_at(lua, slot, &script_backup_class);
    size_t size = 0;
    if (backup) {
        return file_of(backup);
    }
    if (lua_type(lua, slot) != LUA_TSTRING) {
        script_argument_error(lua, slot, "c:restore(backup, {…})", "a backup");
    }
    const char *bytes = lua_tolstring(lua, slot, &size);
    return (struct base_bytes){.data = (const uint8_t *)bytes, .size = size};
}

/* `member = {[3] = backup}`: those who get another file than the rest. */
static void read_own_files(lua_State *lua, struct base_bytes files[SIM_MEMBERS_MAX + 1])
{
    if (!lua_istable(lua, 3) || lua_getfield(lua, 3, "member") == LUA_TNIL) {
        return;
    }
    if (!lua_istable(lua, -1)) {
        script_error(lua, "c:restore: member: found a %s, expected a table", luaL_typename(lua, -1));
    }
    for (sim_machine_number member = 1; member <= SIM_MEMBERS_MAX; member++) {
        if (lua_rawgeti(lua, -1, (lua_Integer)member) != LUA_TNIL) {
            files[member] = check_file(lua, lua_gettop(lua));
        }
        lua_pop(lua, 1);
    }
}

/* Is every file a backup? */
static enum base_status judge_files(const struct base_bytes files[SIM_MEMBERS_MAX + 1])
{
    struct member_backup_info info;
    enum base_status status = BASE_OK;
    for (uint32_t slot = 0; slot <= SIM_MEMBERS_MAX && status == BASE_OK; slot++) {
        if (slot == 0 || files[slot].data) {
            status = member_backup_read(files[slot], &info);
        }
    }
    return status;
}

/* So many machines whose processes are down, and new ones when there are too few. */
static uint64_t choose_vacant(lua_State *lua, struct sim_world *world, int64_t count)
{
    uint64_t members = 0;
    for (int64_t i = 0; i < count; i++) {
        sim_machine_number member = sim_member_vacant(world, members);
        if (member == 0) {
            script_error(lua, "c:restore: members: found no machine left for number %d of them", (int)i + 1);
        }
        members |= script_member_bit(member);
    }
    return members;
}

/* `members = {…}`, exactly these; a number, so many; nothing, as many as there were. */
static uint64_t restored_members(lua_State *lua, struct script_run *run)
{
    int64_t count = sim_world_options(run->world)->cluster.members;
    if (lua_istable(lua, 3) && lua_getfield(lua, 3, "members") != LUA_TNIL) {
        if (lua_istable(lua, -1)) {
            uint64_t members = script_check_members(lua, -1, "c:restore: members");
            if (members == 0) {
                script_error(lua, "c:restore: members: found an empty list, expected members");
            }
            return members;
        }
        count = script_check_whole(lua, -1, "c:restore: members", 1, SIM_MEMBERS_MAX);
    }
    return choose_vacant(lua, run->world, count);
}

static char *keep_text(struct script_run *run, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(base_arena_alloc(run->arena, size), text, size);
}

static void make_boot(struct script_run *run, uint64_t members, const char *token, struct sim_boot *out)
{
    char text[96];
    *out = (struct sim_boot){.has_peers = true};
    run->restores++;
    (void)snprintf(text, sizeof text, "%.40s-restored-%u", sim_world_options(run->world)->cluster.token,
                   (unsigned)run->restores);
    out->token = keep_text(run, token ? token : text);
    for (sim_machine_number member = 1; member <= SIM_MEMBERS_MAX; member++) {
        if (members & script_member_bit(member)) {
            (void)snprintf(text, sizeof text, "m%u", (unsigned)member);
            out->peer_names[out->peer_count] = keep_text(run, text);
            (void)snprintf(text, sizeof text, "http://m%u:2380", (unsigned)member);
            out->peer_urls[out->peer_count++] = keep_text(run, text);
        }
    }
}

/* One of the members in `wait->members` leads, and they are the current cluster. */
static bool leads(struct script_run *run, struct script_wait *wait)
{
    sim_machine_number leader = sim_leader(run->world);
    return leader != 0 && (wait->members & script_member_bit(leader)) != 0;
}

static int fail_stopped(lua_State *lua, struct sim_world *world, sim_machine_number member)
{
    struct sim_member_view view;
    sim_member_view(world, member, false, &view);
    return script_push_failure(lua, view.exit, false);
}

static int end_restore(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    (void)status;
    if (!leads(script_state_of(lua)->run, wait)) {
        return script_push_failure(lua, base_status_text(BASE_TIMEOUT), false);
    }
    script_push_members(lua, wait->members);
    return 1;
}

static const struct script_key restore_keys[] = {
    {"members", SCRIPT_ANY, 0, 0, 0, NULL},
    {"token", SCRIPT_TEXT, offsetof(struct restore_options, token), 0, 0, NULL},
    {"bump_revision", SCRIPT_U64, offsetof(struct restore_options, bump_revision), 0, UINT64_C(1) << 40,
     NULL},
    {"mark_compacted", SCRIPT_BOOL, offsetof(struct restore_options, mark_compacted), 0, 0, NULL},
    {"member", SCRIPT_ANY, 0, 0, 0, NULL},
    {"within", SCRIPT_NS, offsetof(struct restore_options, within_ns), 0, 0, NULL},
};

int script_cluster_restore(lua_State *lua)
{
    struct script_run *run = script_cluster_self(lua, "restore");
    const struct script_path path = {.call = "c:restore"};
    struct restore_options options = {.within_ns = script_cluster_within(run)};
    struct base_bytes files[SIM_MEMBERS_MAX + 1] = {{0}}; /* The first: for who has none. */
    lua_settop(lua, 3);
    script_read_table(lua, 3, &path, restore_keys, sizeof restore_keys / sizeof restore_keys[0], &options);
    struct sim_restore restore = {.bump_revision = options.bump_revision,
                                  .mark_compacted = options.mark_compacted};
    files[0] = check_file(lua, 2);
    read_own_files(lua, files);
    enum base_status status = judge_files(files);
    if (status != BASE_OK) {
        return script_push_failure(lua, base_status_text(status), false); /* Nothing was touched. */
    }
    uint64_t members = restored_members(lua, run);
    struct sim_boot boot;
    make_boot(run, members, options.token, &boot);
    for (sim_machine_number member = 1; member <= SIM_MEMBERS_MAX; member++) {
        if ((members & script_member_bit(member)) == 0) {
            continue;
        }
        run->boots[member] = boot;
        restore.file = files[files[member].data ? member : 0];
        script_check_done(lua, "c:restore", sim_member_restore(run->world, member, &boot, &restore));
        struct sim_member_view view;
        sim_member_view(run->world, member, false, &view);
        if (!view.alive) {
            return fail_stopped(lua, run->world, member);
        }
    }
    struct script_wait *wait = script_wait_begin(lua, "c:restore");
    wait->is_true = leads;
    wait->members = members;
    return script_wait(lua, wait, sim_world_now(run->world) + options.within_ns, end_restore);
}

/* --- a new cluster from a survivor --- */

static int end_force(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    (void)status;
    if (!leads(script_state_of(lua)->run, wait)) {
        return script_push_failure(lua, base_status_text(BASE_TIMEOUT), false);
    }
    lua_pushboolean(lua, 1);
    return 1;
}

int script_cluster_force_new_cluster(lua_State *lua)
{
    static const char call[] = "c:force_new_cluster(m)";
    struct script_run *run = script_cluster_self(lua, "force_new_cluster");
    sim_machine_number member = script_check_member(lua, 2, call);
    script_check_done(lua, call, sim_member_force(run->world, member));
    struct sim_member_view view;
    sim_member_view(run->world, member, false, &view);
    if (!view.alive) {
        return fail_stopped(lua, run->world, member);
    }
    struct script_wait *wait = script_wait_begin(lua, "c:force_new_cluster");
    wait->is_true = leads;
    wait->members = script_member_bit(member);
    return script_wait(lua, wait, sim_world_now(run->world) + script_cluster_within(run), end_force);
}

int script_cluster_lost(lua_State *lua)
{
    lua_pushinteger(lua, sim_lost(script_cluster_self(lua, "lost")->world));
    return 1;
}

void script_backup_open(lua_State *lua)
{
    script_class_open(lua, &script_backup_class);
}

static const luaL_Reg backup_methods[] = {
#define BACKUP(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const backup_fields[] = {
#define BACKUP_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_backup_class = {
    .name = "backup",
    .methods = backup_methods,
    .fields = backup_fields,
    .field_count = FIELD_COUNT,
    .get = get_backup,
    .print = print_backup,
};
