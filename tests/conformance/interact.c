/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
/* The commands of interaction scripts. Each answers an error's text, or NULL. */
#include "core/raft/state.h"
#include "core/raft/text.h"
#include "tests/conformance/changes.h"
#include "tests/conformance/cluster.h"
#include "tests/conformance/kinds.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

struct call {
    struct conformance_cluster *cluster;
    const struct script_case *item;
    struct node *node; /* The one that the first argument names; set where one is needed. */
    struct base_buffer *out;
};

static bool is_true(const char *text)
{
    return strcmp(text, "true") == 0;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

/* The node that the first argument names, or NULL. */
static struct node *node_at(const struct call *call, size_t argument)
{
    if (argument >= call->item->argument_count || call->item->arguments[argument].value_count > 0) {
        return NULL;
    }
    uint64_t id = number(call->item->arguments[argument].key);
    return id >= 1 && id <= call->cluster->node_count ? &call->cluster->nodes[id - 1] : NULL;
}

/* All nodes that are named, in their order. */
static size_t nodes_named(const struct call *call, struct node **out)
{
    size_t count = 0;
    for (size_t i = 0; i < call->item->argument_count; i++) {
        struct node *node = node_at(call, i);
        if (node && count < CLUSTER_NODES_MAX) {
            out[count++] = node;
        }
    }
    return count;
}

static const char *option(const struct script_argument *argument, const char *value,
                          struct raft_config *config, struct raft_snapshot *snapshot)
{
    const char *key = argument->key;
    if (strcmp(key, "voters") == 0) {
        snapshot->configuration.voters.ids[snapshot->configuration.voters.count++] = number(value);
    } else if (strcmp(key, "learners") == 0) {
        snapshot->configuration.learners.ids[snapshot->configuration.learners.count++] = number(value);
    } else if (strcmp(key, "index") == 0) {
        snapshot->index = number(value);
    } else if (strcmp(key, "content") == 0) {
        snapshot->data = base_bytes_of(value);
    } else if (strcmp(key, "inflight") == 0) {
        config->inflight_count_max = (uint32_t)number(value);
    } else if (strcmp(key, "prevote") == 0) {
        config->pre_vote = is_true(value);
    } else if (strcmp(key, "checkquorum") == 0) {
        config->check_quorum = is_true(value);
    } else if (strcmp(key, "async-storage-writes") == 0) {
        config->async_storage_writes = is_true(value);
    } else if (strcmp(key, "max-committed-size-per-ready") == 0) {
        config->committed_bytes_max = number(value);
    } else if (strcmp(key, "disable-conf-change-validation") == 0) {
        config->conf_change_validation_disabled = is_true(value);
    } else if (strcmp(key, "step-down-on-removal") == 0) {
        config->step_down_on_removal = is_true(value);
    } else if (strcmp(key, "read-only") == 0) {
        config->read_mode = strcmp(value, "lease-based") == 0 ? RAFT_READ_LEASE : RAFT_READ_SAFE;
    }
    return NULL;
}

static const char *add_nodes(const struct call *call)
{
    struct raft_config config = {
        .election_ticks = 3,
        .heartbeat_ticks = 1,
        .message_bytes_max = UINT64_MAX,
        .inflight_count_max = INT32_MAX,
    };
    struct raft_snapshot snapshot = {0};
    for (size_t i = 1; i < call->item->argument_count; i++) {
        const struct script_argument *argument = &call->item->arguments[i];
        for (size_t v = 0; v < argument->value_count; v++) {
            (void)option(argument, argument->values[v], &config, &snapshot);
        }
    }
    bool is_restored = snapshot.configuration.voters.count > 0 || snapshot.configuration.learners.count > 0 ||
                       snapshot.index > 0 || snapshot.data.size > 0;
    if (is_restored && snapshot.index <= 1) {
        return "index must be specified as > 1 due to bootstrap";
    }
    snapshot.term = is_restored ? 1 : 0;
    snapshot.data = base_arena_copy(&call->cluster->arena, snapshot.data);
    const char *error = NULL;
    for (uint64_t left = number(call->item->arguments[0].key); left > 0 && !error; left--) {
        error = cluster_add(call->cluster, &config, &snapshot);
    }
    return error;
}

static const char *campaign(const struct call *call)
{
    raft_campaign(call->node->raft);
    return NULL;
}

static const char *raft_log(const struct call *call)
{
    const struct store *store = &call->node->store;
    if (store->count == 0) {
        raft_text_string(call->out, "log is empty: first index=");
        raft_text_decimal(call->out, store->before + 1);
        raft_text_string(call->out, ", last index=");
        raft_text_decimal(call->out, store->before);
        return NULL;
    }
    raft_text_entries(call->out, store->entries, (uint32_t)store->count);
    return NULL;
}

static const char *compact(const struct call *call)
{
    struct node *node = call->node;
    raft_index index = number(call->item->arguments[1].key);
    enum raft_status status = raft_compact(node->raft, index);
    if (status != RAFT_OK) {
        return raft_text_status(status);
    }
    (void)store_compact(&node->store, index);
    return raft_log(call);
}

static enum raft_message_type type_named(const char *name)
{
    uint32_t type = 0;
    while (type < RAFT_MSG_COUNT && strcmp(raft_text_message_type((enum raft_message_type)type), name) != 0) {
        type++;
    }
    return (enum raft_message_type)type;
}

static const char *deliver_messages(const struct call *call)
{
    const char *name = script_value(call->item, "type");
    enum raft_message_type type = name ? type_named(name) : RAFT_MSG_COUNT;
    size_t count = 0;
    for (size_t i = 0; i < call->item->argument_count; i++) {
        const struct script_argument *argument = &call->item->arguments[i];
        if (argument->value_count == 0) {
            count += cluster_deliver(call->cluster, number(argument->key), type, false, call->out);
        }
        for (size_t v = 0; strcmp(argument->key, "drop") == 0 && v < argument->value_count; v++) {
            count += cluster_deliver(call->cluster, number(argument->values[v]), type, true, call->out);
        }
    }
    if (count == 0) {
        raft_text_string(call->out, "no messages\n");
    }
    return NULL;
}

/* Run a stage of each node named, under a heading when there are several. */
static const char *each(const struct call *call, const char *heading,
                        const char *(*run)(struct conformance_cluster *, struct node *, struct base_buffer *))
{
    struct node *nodes[CLUSTER_NODES_MAX];
    size_t count = nodes_named(call, nodes);
    const char *error = NULL;
    for (size_t i = 0; i < count && !error; i++) {
        if (count > 1) {
            raft_text_string(call->out, "> ");
            raft_text_decimal(call->out, nodes[i]->config.id);
            raft_text_string(call->out, heading);
        }
        size_t start = call->out->size;
        error = run(call->cluster, nodes[i], call->out);
        if (count > 1) {
            cluster_indent(call->out, start);
        }
    }
    return error;
}

static const char *process_ready(const struct call *call)
{
    return each(call, " handling Ready\n", cluster_ready);
}

static const char *process_append_thread(const struct call *call)
{
    return each(call, " processing append thread\n", cluster_append_thread);
}

static const char *process_apply_thread(const struct call *call)
{
    return each(call, " processing apply thread\n", cluster_apply_thread);
}

static const char *log_level(const struct call *call)
{
    call->cluster->is_quiet = strcasecmp(call->item->arguments[0].key, "none") == 0;
    return NULL;
}

static const char *raft_state(const struct call *call)
{
    for (uint32_t i = 0; i < call->cluster->node_count; i++) {
        const struct node *node = &call->cluster->nodes[i];
        struct raft_status_report status;
        raft_get_status(node->raft, &status);
        const struct raft_tracker *tracker = &node->raft->tracker;
        uint32_t slot = raft_tracker_slot(tracker, status.id);
        bool is_voter = slot != RAFT_NO_SLOT && (((tracker->voters | tracker->outgoing) >> slot) & 1) != 0;
        raft_text_decimal(call->out, status.id);
        raft_text_string(call->out, ": ");
        raft_text_string(call->out, raft_text_role(status.role));
        raft_text_string(call->out, is_voter ? " (Voter) Term:" : " (Non-Voter) Term:");
        raft_text_decimal(call->out, status.hard_state.term);
        raft_text_string(call->out, " Lead:");
        raft_text_decimal(call->out, status.leader);
        raft_text_string(call->out, "\n");
    }
    return NULL;
}

static const char *set_election_timeout(const struct call *call)
{
    call->node->raft->election_timeout = number(script_value(call->item, "timeout"));
    return NULL;
}

static const char *stabilize(const struct call *call)
{
    struct node *nodes[CLUSTER_NODES_MAX];
    size_t count = nodes_named(call, nodes);
    if (count == 0) {
        for (; count < call->cluster->node_count; count++) {
            nodes[count] = &call->cluster->nodes[count];
        }
    }
    return cluster_stabilize(call->cluster, nodes, count, call->out);
}

static const char *status(const struct call *call)
{
    const struct node *node = call->node;
    for (uint32_t slot = 0; slot < node->raft->tracker.count; slot++) {
        struct raft_progress_status progress;
        if (raft_get_progress(node->raft, node->raft->tracker.ids[slot], &progress)) {
            raft_text_decimal(call->out, progress.id);
            raft_text_string(call->out, ": ");
            raft_text_progress(call->out, &progress);
            raft_text_string(call->out, "\n");
        }
    }
    return NULL;
}

static const char *tick_election(const struct call *call)
{
    raft_tick(call->node->raft, call->node->config.election_ticks);
    return NULL;
}

static const char *tick_heartbeat(const struct call *call)
{
    raft_tick(call->node->raft, call->node->config.heartbeat_ticks);
    return NULL;
}

static const char *transfer_leadership(const struct call *call)
{
    uint64_t from = number(script_value(call->item, "from"));
    raft_transfer_leader(call->cluster->nodes[from - 1].raft, number(script_value(call->item, "to")));
    return NULL;
}

static const char *forget_leader(const struct call *call)
{
    raft_forget_leader(call->node->raft);
    return NULL;
}

static const char *send_snapshot(const struct call *call)
{
    const struct node *from = node_at(call, 0);
    const struct node *to = node_at(call, 1);
    if (!from || !to) {
        return "must specify exactly two nodes";
    }
    struct raft_message message = {
        .type = RAFT_MSG_SNAP,
        .to = to->config.id,
        .from = from->config.id,
        .term = from->raft->term,
        .snapshot = copy_snapshot(&call->cluster->arena, &from->state),
    };
    pool_push(&call->cluster->messages, &message);
    raft_text_message(call->out, &message);
    return NULL;
}

static const char *error_text(enum raft_status result)
{
    return result == RAFT_OK ? NULL : raft_text_status(result);
}

static const char *propose(const struct call *call)
{
    return error_text(raft_propose(call->node->raft, base_bytes_of(call->item->arguments[1].key)));
}

static const char *propose_conf_change(const struct call *call)
{
    struct raft_conf_change change = {0};
    const char *v1 = script_value(call->item, "v1");
    const char *transition = script_value(call->item, "transition");
    change.is_v1 = v1 && is_true(v1);
    if (transition && strcmp(transition, "implicit") == 0) {
        change.transition = RAFT_TRANSITION_JOINT_IMPLICIT;
    } else if (transition && strcmp(transition, "explicit") == 0) {
        change.transition = RAFT_TRANSITION_JOINT_EXPLICIT;
    } else if (transition && strcmp(transition, "auto") != 0) {
        return "unknown transition";
    }
    if (!conformance_parse_changes(call->item->input, &change, call->out)) {
        return "";
    }
    if (change.is_v1 && (change.change_count > 1 || change.transition != RAFT_TRANSITION_AUTO)) {
        return "v1 conf change can only have one operation and no transition";
    }
    return error_text(raft_propose_conf_change(call->node->raft, &change));
}

static const char *report_unreachable(const struct call *call)
{
    const struct node *node = node_at(call, 0);
    const struct node *peer = node_at(call, 1);
    if (!node || !peer) {
        return "must specify exactly two node indexes: node on which to report, and reported node";
    }
    raft_report_unreachable(node->raft, peer->config.id);
    return NULL;
}

static const struct {
    const char *name;
    const char *(*run)(const struct call *call);
    bool needs_node; /* The first argument must name one. */
} commands[] = {
    {"add-nodes", add_nodes, false},
    {"campaign", campaign, true},
    {"compact", compact, true},
    {"deliver-msgs", deliver_messages, false},
    {"process-ready", process_ready, true},
    {"process-append-thread", process_append_thread, true},
    {"process-apply-thread", process_apply_thread, true},
    {"log-level", log_level, false},
    {"raft-log", raft_log, true},
    {"raft-state", raft_state, false},
    {"set-randomized-election-timeout", set_election_timeout, true},
    {"stabilize", stabilize, false},
    {"status", status, true},
    {"tick-election", tick_election, true},
    {"tick-heartbeat", tick_heartbeat, true},
    {"transfer-leadership", transfer_leadership, false},
    {"forget-leader", forget_leader, true},
    {"send-snapshot", send_snapshot, false},
    {"propose", propose, true},
    {"propose-conf-change", propose_conf_change, true},
    {"report-unreachable", report_unreachable, false},
};

static const char *run_command(struct call *call)
{
    call->node = node_at(call, 0);
    if (strcmp(call->item->command, "_breakpoint") == 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(call->item->command, commands[i].name) == 0) {
            return commands[i].needs_node && !call->node ? "no such node" : commands[i].run(call);
        }
    }
    return "unknown command";
}

/* Run one command. Quiet: only errors are heard. */
static void run_one(struct conformance_cluster *cluster, const struct script_case *item,
                    struct base_buffer *out)
{
    size_t start = out->size;
    bool was_quiet = cluster->is_quiet;
    const char *level = script_value(item, "log-level");
    if (level) {
        cluster->is_quiet = strcasecmp(level, "none") == 0;
    }
    const char *error = run_command(&(struct call){.cluster = cluster, .item = item, .out = out});
    if (cluster->is_quiet) {
        out->size = start;
    }
    if (level) {
        cluster->is_quiet = was_quiet;
    }
    raft_text_string(out, error ? error : "");
}

void conformance_interact(struct conformance_cluster *cluster, const struct script_case *item,
                          struct base_buffer *out)
{
    run_one(cluster, item, out);
    if (strcmp(item->command, "propose-conf-change") == 0) {
        return; /* Its input is its own; elsewhere further lines are further commands. */
    }
    char *rest = strdup(item->input);
    char *saved = NULL;
    for (char *line = strtok_r(rest, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        struct script_case more = {.input = item->input};
        if (script_parse_line(line, &more)) {
            run_one(cluster, &more, out);
        }
    }
    free(rest);
}
