/* Operations on the store: what a script asks as struct kv_op, and what the store
 * answers as tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/client.h"

#include <assert.h>

static void push_bytes(lua_State *lua, struct base_bytes bytes)
{
    (void)lua_pushlstring(lua, bytes.data ? (const char *)bytes.data : "", bytes.size);
}

static void set_whole(lua_State *lua, const char *name, int64_t value)
{
    lua_pushinteger(lua, value);
    lua_setfield(lua, -2, name);
}

void script_push_record(lua_State *lua, const struct kv_record *record)
{
    lua_createtable(lua, 0, 6);
    push_bytes(lua, record->key);
    lua_setfield(lua, -2, "key");
    push_bytes(lua, record->value);
    lua_setfield(lua, -2, "value");
    set_whole(lua, "create_revision", record->create_revision);
    set_whole(lua, "mod_revision", record->mod_revision);
    set_whole(lua, "version", record->version);
    set_whole(lua, "lease", record->lease);
}

void script_push_range(lua_State *lua, const struct kv_result *result, int64_t revision)
{
    lua_createtable(lua, (int)result->record_count, 3);
    for (uint32_t i = 0; i < result->record_count; i++) {
        script_push_record(lua, &result->records[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    set_whole(lua, "count", result->count);
    lua_pushboolean(lua, result->more);
    lua_setfield(lua, -2, "more");
    set_whole(lua, "revision", revision);
}

/* --- options --- */

struct flags {
    bool prev_kv;
    bool ignore_value;
    bool ignore_lease;
    bool keys_only;
    bool count_only;
    bool serializable;
    uint64_t limit;
    uint32_t sort;
};

#define FLAG(name) {#name, SCRIPT_BOOL, offsetof(struct flags, name), 0, 0, NULL}

static uint32_t flags_of(const struct flags *flags)
{
    uint32_t bits = 0;
    bits |= flags->prev_kv ? KV_PREV_KV : 0;
    bits |= flags->ignore_value ? KV_IGNORE_VALUE : 0;
    bits |= flags->ignore_lease ? KV_IGNORE_LEASE : 0;
    bits |= flags->keys_only ? KV_KEYS_ONLY : 0;
    bits |= flags->count_only ? KV_COUNT_ONLY : 0;
    bits |= flags->serializable ? KV_SERIALIZABLE : 0;
    return bits;
}

void script_op_put(lua_State *lua, int index, const struct script_path *path, struct kv_op *op)
{
    static const struct script_key keys[] = {
        {"lease", SCRIPT_ANY, 0, 0, 0, NULL}, FLAG(prev_kv), FLAG(ignore_value), FLAG(ignore_lease)};
    struct flags flags = {.prev_kv = false};
    script_read_table(lua, index, path, keys, 4, &flags);
    op->flags = flags_of(&flags);
    if (lua_istable(lua, index) && lua_getfield(lua, index, "lease") != LUA_TNIL) {
        op->lease = script_check_lease(lua, -1, path->call);
    }
}

void script_op_range(lua_State *lua, int index, const struct script_path *path, struct kv_op *op)
{
    static const char *const orders[] = {"key",  "version",  "create",  "mod",  "value",
                                         "-key", "-version", "-create", "-mod", "-value", NULL};
    static const struct script_key keys[] = {
        {"rev", SCRIPT_ANY, 0, 0, 0, NULL},
        {"limit", SCRIPT_U64, offsetof(struct flags, limit), 0, 0, NULL},
        {"sort", SCRIPT_CHOICE, offsetof(struct flags, sort), 0, 0, orders},
        FLAG(keys_only),
        FLAG(count_only),
        FLAG(serializable)};
    struct flags flags = {.sort = UINT32_MAX};
    script_read_table(lua, index, path, keys, 6, &flags);
    op->flags = flags_of(&flags);
    op->limit = (int64_t)flags.limit;
    if (flags.sort != UINT32_MAX) {
        op->sort_target = (enum kv_sort_target)(flags.sort % 5);
        op->sort_order = flags.sort < 5 ? KV_SORT_ASCEND : KV_SORT_DESCEND;
    }
    if (lua_istable(lua, index) && lua_getfield(lua, index, "rev") != LUA_TNIL) {
        op->revision = script_check_whole(lua, -1, path->call, INT64_MIN, INT64_MAX);
    }
}

void script_op_delete(lua_State *lua, int index, const struct script_path *path, struct kv_op *op)
{
    static const struct script_key keys[] = {FLAG(prev_kv)};
    struct flags flags = {.prev_kv = false};
    script_read_table(lua, index, path, keys, 1, &flags);
    op->flags = flags_of(&flags);
}

/* --- transactions --- */

static const char txn_written[] = "cli:txn";

/* A block of the state's memory, kept on the stack. */
static void *block(lua_State *lua, size_t count, size_t size)
{
    luaL_checkstack(lua, 8, "too large a transaction");
    return memset(lua_newuserdatauv(lua, (count + 1) * size, 0), 0, (count + 1) * size);
}

/* `{key, "mod", "=", n, [end]}`, on top of the stack. */
static void read_compare(lua_State *lua, const struct script_path *path, struct kv_compare *out)
{
    static const char *const targets[] = {"version", "create", "mod", "value", "lease", NULL};
    static const char *const relations[] = {"=", "!=", "<", ">", NULL};
    static const struct script_key target_key = {.name = "target", .type = SCRIPT_CHOICE, .choices = targets};
    static const struct script_key relation_key = {.name = "relation", .type = SCRIPT_CHOICE, .choices = relations};
    uint32_t target = 0;
    uint32_t relation = 0;
    int top = lua_gettop(lua);
    if (!lua_istable(lua, top)) {
        script_path_error(lua, path, "found no table, expected {key, \"mod\", \"=\", n}");
    }
    for (lua_Integer i = 1; i <= 5; i++) {
        (void)lua_rawgeti(lua, top, i);
    }
    out->key = script_check_bytes(lua, top + 1, "cli:txn: compare");
    if (!lua_isnil(lua, top + 5)) {
        out->range_end = script_check_bytes(lua, top + 5, "cli:txn: compare");
    }
    script_read_value(lua, top + 2, path, &target_key, &target);
    script_read_value(lua, top + 3, path, &relation_key, &relation);
    out->target = (enum kv_compare_target)target;
    out->relation = (enum kv_relation)relation;
    if (out->target == KV_COMPARE_VALUE) {
        out->value = script_check_bytes(lua, top + 4, "cli:txn: compare");
    } else if (out->target == KV_COMPARE_LEASE) {
        out->number = script_check_lease(lua, top + 4, "cli:txn: compare");
    } else {
        out->number = script_check_whole(lua, top + 4, "cli:txn: compare", INT64_MIN, INT64_MAX);
    }
    lua_settop(lua, top);
}

/* `{"put", key, value, {…}}`, on top of the stack. What it points to stays there. */
static void read_op(lua_State *lua, const struct script_path *path, struct kv_op *out)
{
    static const char *const verbs[] = {"put", "get", "range", "delete", "txn", NULL};
    static const struct script_key verb_key = {.name = "verb", .type = SCRIPT_CHOICE, .choices = verbs};
    uint32_t verb = 0;
    int top = lua_gettop(lua);
    if (!lua_istable(lua, top)) {
        script_path_error(lua, path, "found no table, expected {\"put\", key, value} or the like");
    }
    luaL_checkstack(lua, 16, "too large a transaction");
    for (lua_Integer i = 1; i <= 4; i++) {
        (void)lua_rawgeti(lua, top, i);
    }
    script_read_value(lua, top + 1, path, &verb_key, &verb);
    if (verb == 4) {
        out->kind = KV_TXN;
        out->txn = script_txn_read(lua, top + 2);
        return;
    }
    out->key = script_check_bytes(lua, top + 2, txn_written);
    int options = verb == 1 || ((verb == 2 || verb == 3) && lua_istable(lua, top + 3)) ? top + 3 : top + 4;
    if (verb == 0) {
        out->kind = KV_PUT;
        script_op_put(lua, options, path, out);
        if ((out->flags & KV_IGNORE_VALUE) == 0 || !lua_isnil(lua, top + 3)) {
            out->value = script_check_bytes(lua, top + 3, txn_written);
        }
        return;
    }
    if (options == top + 4 && !lua_isnil(lua, top + 3)) {
        out->range_end = script_check_bytes(lua, top + 3, txn_written);
    }
    out->kind = verb == 3 ? KV_DELETE_RANGE : KV_RANGE;
    if (verb == 3) {
        script_op_delete(lua, options, path, out);
    } else {
        script_op_range(lua, options, path, out);
    }
}

/* The operations under a key of the table at `index`. */
static const struct kv_op *read_ops(lua_State *lua, int index, const struct script_path *path, const char *key,
                                    uint32_t *count)
{
    struct script_path inner = script_path_in(path, key);
    (void)lua_getfield(lua, index, key);
    int list = lua_gettop(lua);
    size_t size = lua_istable(lua, list) ? (size_t)lua_rawlen(lua, list) : 0;
    struct kv_op *ops = block(lua, size, sizeof *ops);
    for (size_t i = 0; i < size; i++) {
        (void)lua_rawgeti(lua, list, (lua_Integer)i + 1);
        read_op(lua, &inner, &ops[i]);
    }
    *count = (uint32_t)size;
    return ops;
}

const struct kv_txn *script_txn_read(lua_State *lua, int index)
{
    static const struct script_key keys[] = {{"compare", SCRIPT_TABLE, 0, 0, 0, NULL},
                                             {"success", SCRIPT_TABLE, 0, 0, 0, NULL},
                                             {"failure", SCRIPT_TABLE, 0, 0, 0, NULL}};
    const struct script_path path = {.call = txn_written};
    struct script_path inner = script_path_in(&path, "compare");
    if (!lua_istable(lua, index)) {
        script_argument_error(lua, index, "cli:txn{compare=, success=, failure=}", "a table");
    }
    index = lua_absindex(lua, index);
    script_read_table(lua, index, &path, keys, 3, NULL);
    struct kv_txn *txn = block(lua, 1, sizeof *txn);
    (void)lua_getfield(lua, index, "compare");
    int list = lua_gettop(lua);
    size_t count = lua_istable(lua, list) ? (size_t)lua_rawlen(lua, list) : 0;
    struct kv_compare *compares = block(lua, count, sizeof *compares);
    for (size_t i = 0; i < count; i++) {
        (void)lua_rawgeti(lua, list, (lua_Integer)i + 1);
        read_compare(lua, &inner, &compares[i]);
        lua_pop(lua, 1);
    }
    txn->compares = compares;
    txn->compare_count = (uint32_t)count;
    txn->success = read_ops(lua, index, &path, "success", &txn->success_count);
    txn->failure = read_ops(lua, index, &path, "failure", &txn->failure_count);
    return txn;
}

/* Push list[slot]; nil when there is no list: its owner may have changed it since. */
static void push_slot(lua_State *lua, int list, lua_Integer slot)
{
    if (lua_istable(lua, list)) {
        (void)lua_rawgeti(lua, list, slot);
    } else {
        lua_pushnil(lua);
    }
}

/* Push what was asked as number `slot` under a key of the transaction at `index`. */
static void push_asked(lua_State *lua, int index, const char *key, lua_Integer slot)
{
    lua_pushnil(lua);
    if (lua_istable(lua, index)) {
        (void)lua_getfield(lua, index, key);
        lua_remove(lua, -2);
    }
    push_slot(lua, lua_gettop(lua), slot);
    lua_remove(lua, -2);
}

/* Push what one operation answered; the table that asked is on top, and popped. */
static void push_result(lua_State *lua, const struct kv_result *result, int64_t revision)
{
    push_slot(lua, lua_gettop(lua), 1);
    const char *verb = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    bool is_get = strcmp(verb, "get") == 0;
    lua_pop(lua, 1);
    switch (result->kind) {
    case KV_RANGE:
        if (!is_get) {
            script_push_range(lua, result, revision);
        } else if (result->record_count > 0) {
            script_push_record(lua, &result->records[0]);
        } else {
            lua_pushboolean(lua, 0);
        }
        break;
    case KV_PUT:
    case KV_DELETE_RANGE:
        script_push_range(lua, result, revision);
        break;
    case KV_TXN:
        push_slot(lua, lua_gettop(lua), 2);
        script_txn_push(lua, lua_gettop(lua), result, revision);
        lua_remove(lua, -2);
        break;
    }
    lua_remove(lua, -2);
}

void script_txn_push(lua_State *lua, int index, const struct kv_result *result, int64_t revision)
{
    luaL_checkstack(lua, 16, "too deep a transaction");
    index = lua_absindex(lua, index);
    lua_createtable(lua, 0, 3);
    lua_pushboolean(lua, result->succeeded);
    lua_setfield(lua, -2, "succeeded");
    set_whole(lua, "revision", revision);
    lua_createtable(lua, (int)result->result_count, 0);
    for (uint32_t i = 0; i < result->result_count; i++) {
        push_asked(lua, index, result->succeeded ? "success" : "failure", (lua_Integer)i + 1);
        push_result(lua, &result->results[i], revision);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    lua_setfield(lua, -2, "results");
}
