/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/member/boot_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[RIG_PEERS] = {"m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"};
static const char *const urls[RIG_PEERS] = {"http://m1:2380", "http://m2:2380", "http://m3:2380",
                                            "http://m4:2380", "http://m5:2380", "http://m6:2380",
                                            "http://m7:2380", "http://m8:2380"};

static void *resize(void *context, void *block, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static void copy_text(char *out, size_t size, struct base_bytes text)
{
    cr_assert(text.size < size);
    (void)snprintf(out, size, "%.*s", (int)text.size, (const char *)text.data);
}

/* The host. */

static uint64_t host_random(void *context)
{
    (void)context;
    return 4;
}

static void host_add_peer(void *context, raft_id id, struct base_bytes url)
{
    struct boot_rig *rig = context;
    cr_assert(id != RAFT_NONE && url.size > 0);
    rig->peer_count++;
}

static void host_remove_peer(void *context, raft_id id)
{
    struct boot_rig *rig = context;
    (void)id;
    rig->peer_count--;
}

static void host_send(void *context, raft_id to, const struct wire_message *message)
{
    struct boot_rig *rig = context;
    (void)to;
    (void)message;
    rig->sent_count++;
}

static void host_ask(void *context, struct base_bytes url, uint64_t number,
                     const struct wire_message *message)
{
    struct boot_rig *rig = context;
    struct rig_question *asked = &rig->asked;
    *asked = (struct rig_question){.number = number, .kind = message->kind, .op = message->request.op.kind};
    copy_text(asked->url, sizeof asked->url, url);
    copy_text(asked->key, sizeof asked->key, message->request.op.key);
    copy_text(asked->value, sizeof asked->value, message->request.op.value);
    rig->question_count++;
}

static void host_reply(void *context, uint64_t connection, const struct wire_message *message)
{
    struct boot_rig *rig = context;
    (void)connection;
    (void)message;
    rig->sent_count++;
}

static void host_set_tick(void *context, uint64_t ticks)
{
    (void)context;
    (void)ticks;
}

static void host_set_due(void *context, uint64_t due_ns)
{
    struct boot_rig *rig = context;
    rig->due_ns = due_ns;
}

static void host_wake(void *context, enum host_stage stage)
{
    struct boot_rig *rig = context;
    rig->woken |= 1u << stage;
}

static void host_stop(void *context, struct base_bytes reason)
{
    struct boot_rig *rig = context;
    cr_assert_eq(rig->stopped[0], '\0', "it stops once");
    copy_text(rig->stopped, sizeof rig->stopped, reason);
}

/* The observer. */

static void saw_identity(void *context, uint64_t cluster_id, raft_id member_id)
{
    struct boot_rig *rig = context;
    rig->cluster_id = cluster_id;
    rig->member_id = member_id;
}

static void saw_step(void *context, const char *step)
{
    struct boot_rig *rig = context;
    size_t used = strlen(rig->steps);
    (void)snprintf(rig->steps + used, sizeof rig->steps - used, "%s%s", used > 0 ? " " : "", step);
}

void rig_init(struct boot_rig *rig, uint32_t count)
{
    *rig = (struct boot_rig){.allocator = {.resize = resize}, .now_ns = RIG_SECOND};
    rig->disk = model_disk_new();
    rig->host = (struct host){
        .context = rig,
        .random = host_random,
        .add_peer = host_add_peer,
        .remove_peer = host_remove_peer,
        .send = host_send,
        .ask = host_ask,
        .reply = host_reply,
        .set_tick = host_set_tick,
        .set_due = host_set_due,
        .wake = host_wake,
        .stop = host_stop,
    };
    rig->observer = (struct host_observer){.context = rig, .identity = saw_identity, .step = saw_step};
    for (uint32_t i = 0; i < RIG_PEERS; i++) {
        rig->peers[i] = (struct member_peer){.name = names[i], .url = urls[i]};
    }
    rig->config = (struct member_config){
        .name = "m1",
        .url = urls[0],
        .token = "token",
        .peers = rig->peers,
        .peer_count = count,
        .discovery_url = "http://discovery:2379",
        .tick_ns = 100000000,
        .heartbeat_ticks = 1,
        .election_ticks = 10,
        .pre_vote = true,
        .check_quorum = true,
        .snapshot_entries = 10000,
        .catchup_entries = 5000,
        .inflight_count_max = 512,
        .message_bytes_max = 1 << 20,
        .lease_fencing = true,
        .strict_reconfig = true,
        .learners_max = 1,
    };
}

void rig_kill(struct boot_rig *rig)
{
    if (rig->member) {
        member_free(rig->member);
        rig->member = NULL;
    }
    model_disk_kill(rig->disk);
}

void rig_release(struct boot_rig *rig)
{
    rig_kill(rig);
    model_disk_free(rig->disk);
}

void rig_start(struct boot_rig *rig)
{
    rig_kill(rig);
    rig->due_ns = HOST_NEVER;
    rig->woken = 0;
    rig->asked = (struct rig_question){0};
    rig->question_count = 0;
    rig->sent_count = 0;
    rig->peer_count = 0;
    rig->cluster_id = 0;
    rig->member_id = RAFT_NONE;
    rig->steps[0] = '\0';
    rig->stopped[0] = '\0';
    rig->member = member_new(&rig->config, &rig->allocator, &rig->host, &rig->disk->disk, &rig->observer);
    member_start(rig->member, rig->now_ns);
}

void rig_advance(struct boot_rig *rig, uint64_t ns)
{
    uint64_t end_ns = rig->now_ns + ns;
    while (rig->due_ns <= end_ns && rig->stopped[0] == '\0') {
        rig->now_ns = rig->due_ns > rig->now_ns ? rig->due_ns : rig->now_ns;
        rig->due_ns = HOST_NEVER;
        member_due(rig->member, rig->now_ns);
    }
    rig->now_ns = end_ns;
}

static bool run_stage(struct boot_rig *rig)
{
    for (int stage = 0; stage < HOST_STAGE_COUNT; stage++) {
        if (rig->woken & 1u << stage) {
            rig->woken &= ~(1u << stage);
            member_run(rig->member, rig->now_ns, (enum host_stage)stage);
            return true;
        }
    }
    return false;
}

void rig_settle(struct boot_rig *rig)
{
    uint64_t token = 0;
    enum disk_status status = DISK_OK;
    while (rig->stopped[0] == '\0') {
        if (model_disk_step(rig->disk, 0, &token, &status)) {
            member_disk_done(rig->member, rig->now_ns, token, status);
        } else if (!run_stage(rig)) {
            break;
        }
    }
}

/* Take the question that is open. */
static uint64_t take_question(struct boot_rig *rig)
{
    uint64_t number = rig->asked.number;
    cr_assert_neq(number, 0, "nothing is asked");
    rig->asked.number = 0;
    return number;
}

void rig_refuse(struct boot_rig *rig)
{
    member_unanswered(rig->member, rig->now_ns, take_question(rig));
}

void rig_answer_members(struct boot_rig *rig, uint64_t cluster_id, const struct wire_member *members,
                        uint32_t count)
{
    cr_assert_eq(rig->asked.kind, WIRE_PEER_QUERY);
    const struct wire_message message = {
        .kind = WIRE_PEER_ANSWER,
        .cluster_id = cluster_id,
        .response = {.id = take_question(rig),
                     .cluster_id = cluster_id,
                     .member_count = count,
                     .members = members},
    };
    member_receive(rig->member, rig->now_ns, 1, &message);
}

void rig_answer_records(struct boot_rig *rig, const struct kv_record *records, uint32_t count)
{
    cr_assert_eq(rig->asked.kind, WIRE_REQUEST);
    const struct wire_message message = {
        .kind = WIRE_RESPONSE,
        .response = {.id = take_question(rig),
                     .result = {.count = count, .record_count = count, .records = records}},
    };
    member_receive(rig->member, rig->now_ns, 1, &message);
}
