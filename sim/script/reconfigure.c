/* What an operator does to a running cluster. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/script/client.h"
#include "sim/script/cluster.h"

static int end_true(lua_State *lua, int status, lua_KContext context)
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

/* A request about the member at 2, which must have been given an id. */
static int change(lua_State *lua, const char *method, const char *what, enum wire_request_kind kind)
{
    struct script_run *run = script_cluster_self(lua, method);
    sim_machine_number member = script_check_member(lua, 2, what);
    sim_machine_number leader = sim_leader(run->world);
    struct sim_member_view view;
    sim_member_view(run->world, member, false, &view);
    if (view.member_id == 0) {
        script_error(lua, "%s: found m%u, which has never been in a cluster", what, (unsigned)member);
    }
    const struct wire_request request = {.kind = kind, .member = {.id = view.member_id}};
    sim_machine_number target = kind == WIRE_MOVE_LEADER ? leader : 0;
    if (kind == WIRE_MOVE_LEADER && leader == 0) {
        return script_push_failure(lua, base_status_text(BASE_NO_LEADER), false);
    }
    return script_wait_call(lua, what, script_cluster_admin(lua, run), target, &request, end_true);
}

int script_cluster_promote(lua_State *lua)
{
    return change(lua, "promote", "c:promote", WIRE_MEMBER_PROMOTE);
}

int script_cluster_remove_member(lua_State *lua)
{
    return change(lua, "remove_member", "c:remove_member", WIRE_MEMBER_REMOVE);
}

int script_cluster_move_leader(lua_State *lua)
{
    return change(lua, "move_leader", "c:move_leader", WIRE_MOVE_LEADER);
}

int script_cluster_add_member(lua_State *lua)
{
    (void)script_cluster_self(lua, "add_member");
    script_error(lua, "c:add_member: not available yet");
}
