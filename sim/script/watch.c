/* SPDX-License-Identifier: Apache-2.0 */
#include "core/kv/watch.h"

#include "sim/script/api.h"
#include "sim/script/client.h"

#include <stdio.h>

/* A batch that has come, a copy in the run's arena. */
struct batch {
    struct batch *next;
    const struct wire_message *message;
};

/* In the run's arena: the world points to it. */
struct watch {
    struct script_run *run;
    sim_machine_number client;
    uint64_t number;
    int64_t revision;
    struct batch *first, **end;
    uint32_t taken; /* Events of the first batch that were handed out. */
    bool is_over;
    enum base_status status; /* Why it is over. */
};

struct watch_object {
    struct watch *watch;
};

enum watch_field {
#define WATCH_FIELD(name, text) FIELD_##name,
#include "sim/script/api.def"
    FIELD_COUNT
};

static void on_batch(void *context, const struct wire_watch *batch)
{
    struct watch *watch = context;
    if (watch->is_over) {
        return;
    }
    watch->revision = batch->revision > watch->revision ? batch->revision : watch->revision;
    watch->is_over = batch->compact_revision != 0;
    watch->status = batch->status;
    watch->run->has_changed = true;
    if (batch->event_count == 0) {
        return;
    }
    const struct wire_message message = {.kind = WIRE_WATCH, .watch = *batch};
    struct batch *copy = base_arena_alloc(watch->run->arena, sizeof *copy);
    void *memory = base_arena_alloc(watch->run->arena, wire_flat_size(&message));
    *copy = (struct batch){.message = wire_flatten(&message, memory)};
    *watch->end = copy;
    watch->end = &copy->next;
}

int script_client_watch(lua_State *lua)
{
    static const char *const filters[] = {"noput", "nodelete", NULL};
    static const struct script_key filter_key = {.name = "filter", .type = SCRIPT_CHOICE, .choices = filters};
    static const struct script_key keys[] = {{"end", SCRIPT_ANY, 0, 0, 0, NULL},
                                             {"rev", SCRIPT_ANY, 0, 0, 0, NULL},
                                             {"prev_kv", SCRIPT_BOOL, 0, 0, 0, NULL},
                                             {"filter", SCRIPT_ANY, 0, 0, 0, NULL},
                                             {"fragment", SCRIPT_BOOL, sizeof(bool), 0, 0, NULL},
                                             {"progress", SCRIPT_BOOL, 2 * sizeof(bool), 0, 0, NULL}};
    const struct script_path path = {.call = "cli:watch"};
    struct script_path inner = script_path_in(&path, "filter");
    sim_machine_number client = script_client_self(lua, "watch");
    struct script_run *run = script_state_of(lua)->run;
    struct wire_request request = {.kind = WIRE_WATCH_CREATE, .op = {.kind = KV_RANGE}};
    bool flags[3] = {false, false, false}; /* prev_kv, fragment, progress */
    uint32_t filter = UINT32_MAX;
    request.op.key = script_check_bytes(lua, 2, "cli:watch(key)");
    script_read_table(lua, 3, &path, keys, 6, flags);
    if (lua_istable(lua, 3)) {
        if (lua_getfield(lua, 3, "end") != LUA_TNIL) {
            request.op.range_end = script_check_bytes(lua, -1, "cli:watch: end");
        }
        if (lua_getfield(lua, 3, "rev") != LUA_TNIL) {
            request.revision = script_check_whole(lua, -1, "cli:watch: rev", 0, INT64_MAX);
        }
        if (lua_getfield(lua, 3, "filter") != LUA_TNIL) {
            script_read_value(lua, -1, &inner, &filter_key, &filter);
        }
    }
    request.op.flags = (flags[0] ? KV_WATCH_PREV_KV : 0u) | (flags[1] ? KV_WATCH_FRAGMENT : 0u) |
                       (flags[2] ? KV_WATCH_PROGRESS : 0u) | (filter == 0 ? KV_WATCH_NO_PUT : 0u) |
                       (filter == 1 ? KV_WATCH_NO_DELETE : 0u);
    struct watch *watch = base_arena_alloc(run->arena, sizeof *watch);
    *watch = (struct watch){.run = run, .client = client};
    watch->end = &watch->first;
    watch->number = sim_client_watch(run->world, client, &request, on_batch, watch);
    struct watch_object *object = script_object_new(lua, &script_watch_class, sizeof *object);
    object->watch = watch;
    return 1;
}

static const struct kv_event *peek(const struct watch *watch)
{
    return watch->first ? &watch->first->message->watch.events[watch->taken] : NULL;
}

static void take(struct watch *watch)
{
    if (++watch->taken == watch->first->message->watch.event_count) {
        watch->taken = 0;
        watch->first = watch->first->next;
        watch->end = watch->first ? watch->end : &watch->first;
    }
}

static bool has_event(struct script_run *run, struct script_wait *wait)
{
    const struct watch *watch = wait->object;
    (void)run;
    return watch->first || watch->is_over;
}

static void push_event(lua_State *lua, const struct kv_event *event)
{
    script_push_record(lua, &event->record);
    (void)lua_pushstring(lua, event->is_delete ? "delete" : "put");
    lua_setfield(lua, -2, "type");
    if (event->is_delete) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, "value");
    }
    if (event->has_previous) {
        script_push_record(lua, &event->previous);
        lua_setfield(lua, -2, "prev");
    }
}

static int wait_next(lua_State *lua, struct watch *watch, uint64_t deadline_ns);

static int end_next(lua_State *lua, int status, lua_KContext context)
{
    struct script_wait *wait = (struct script_wait *)context;
    const struct watch_object *object = script_object_at(lua, 1, &script_watch_class);
    struct watch *watch = object->watch;
    (void)status;
    if (watch->first) {
        push_event(lua, peek(watch));
        take(watch);
        return 1;
    }
    if (watch->is_over) {
        return script_push_failure(lua, base_status_text(watch->status), false);
    }
    if (wait->is_late) {
        return script_push_failure(lua, base_status_text(BASE_TIMEOUT), false);
    }
    return wait_next(lua, watch, wait->number); /* Another coroutine was faster. */
}

static int wait_next(lua_State *lua, struct watch *watch, uint64_t deadline_ns)
{
    struct script_wait *wait = script_wait_begin(lua, "watch:next");
    wait->is_true = has_event;
    wait->object = watch;
    wait->number = deadline_ns;
    return script_wait(lua, wait, deadline_ns, end_next);
}

static int call_next(lua_State *lua)
{
    static const struct script_key keys[] = {{"within", SCRIPT_NS, 0, 0, 0, NULL}};
    const struct script_path path = {.call = "watch:next"};
    const struct watch_object *object = script_object_self(lua, &script_watch_class, "next");
    struct script_run *run = script_run_check(lua, "watch:next");
    uint64_t within_ns = UINT64_MAX;
    script_read_table(lua, 2, &path, keys, 1, &within_ns);
    bool is_bounded = within_ns != UINT64_MAX;
    return wait_next(lua, object->watch, is_bounded ? sim_world_now(run->world) + within_ns : UINT64_MAX);
}

static int call_cancel(lua_State *lua)
{
    const struct watch_object *object = script_object_self(lua, &script_watch_class, "cancel");
    struct script_run *run = script_run_check(lua, "watch:cancel");
    struct watch *watch = object->watch;
    if (!watch->is_over) {
        watch->is_over = true;
        watch->status = BASE_CANCELED;
        run->has_changed = true;
        sim_client_watch_cancel(run->world, watch->client, watch->number);
    }
    return 0;
}

static int call_progress(lua_State *lua)
{
    const struct watch_object *object = script_object_self(lua, &script_watch_class, "progress");
    struct script_run *run = script_run_check(lua, "watch:progress");
    if (!object->watch->is_over) {
        sim_client_watch_progress(run->world, object->watch->client, object->watch->number);
    }
    return 0;
}

static void get_watch(lua_State *lua, const void *object, size_t field)
{
    const struct watch_object *watch = object;
    (void)field;
    lua_pushinteger(lua, watch->watch->revision);
}

static void print_watch(const void *object, char out[64])
{
    const struct watch_object *watch = object;
    (void)snprintf(out, 64, "watch %llu of c%u", (unsigned long long)watch->watch->number,
                   (unsigned)watch->watch->client);
}

void script_watch_open(lua_State *lua)
{
    script_class_open(lua, &script_watch_class);
}

static const luaL_Reg watch_methods[] = {
#define WATCH(name, written, text) {#name, call_##name},
#include "sim/script/api.def"
    {NULL, NULL}};

static const char *const watch_fields[] = {
#define WATCH_FIELD(name, text) #name,
#include "sim/script/api.def"
};

const struct script_class script_watch_class = {
    .name = "watch",
    .methods = watch_methods,
    .fields = watch_fields,
    .field_count = FIELD_COUNT,
    .get = get_watch,
    .print = print_watch,
};
