/* SPDX-License-Identifier: Apache-2.0 */
/* simple, enter-joint [autoleave=true], leave-joint, each with changes (v1 l2 r3 u4)
 * as input: the configuration after it and the progress of its members. */
#include "core/raft/text.h"
#include "core/raft/tracker.h"
#include "tests/conformance/changes.h"
#include "tests/conformance/kinds.h"

#include <stdlib.h>
#include <string.h>

struct conformance_changer {
    struct raft_tracker tracker;
    raft_index last; /* Grows by one with each case. */
};

struct conformance_changer *conformance_changer_new(void)
{
    struct conformance_changer *changer = calloc(1, sizeof *changer);
    raft_tracker_init(&changer->tracker, &conformance_allocator,
                      (struct raft_inflight_limits){.count_max = 10});
    return changer;
}

void conformance_changer_free(struct conformance_changer *changer)
{
    raft_tracker_release(&changer->tracker);
    free(changer);
}

bool conformance_parse_changes(const char *text, struct raft_conf_change *change, struct base_buffer *out)
{
    static const char letters[] = "vrul";
    while (*(text += strspn(text, " \t\n")) != '\0') {
        size_t length = strcspn(text, " \t\n");
        const char *letter = strchr(letters, *text);
        char *end = NULL;
        raft_id id = strtoull(text + 1, &end, 10);
        if (length < 2 || !letter || end != text + length || change->change_count == RAFT_CHANGES_MAX) {
            raft_text_string(out, length < 2 ? "unknown token " : "unknown input: ");
            memcpy(base_buffer_extend(out, length), text, length);
            return false;
        }
        change->changes[change->change_count++] = (struct raft_conf_change_single){
            .type = (enum raft_conf_change_type)(letter - letters),
            .id = id,
        };
        text += length;
    }
    return true;
}

static void put_tracker(const struct raft_tracker *tracker, struct base_buffer *out)
{
    raft_text_configuration(out, &tracker->conf);
    base_put_u8(out, '\n');
    for (uint32_t slot = 0; slot < tracker->count; slot++) {
        const struct raft_progress *progress = &tracker->progress[slot];
        struct raft_progress_status status = {
            .id = tracker->ids[slot],
            .match = progress->match,
            .next = progress->next,
            .state = progress->state,
            .recent_active = ((tracker->active >> slot) & 1) != 0,
            .is_learner = ((tracker->learners >> slot) & 1) != 0,
            .is_paused = raft_progress_is_paused(progress),
        };
        raft_text_decimal(out, status.id);
        raft_text_string(out, ": ");
        raft_text_progress(out, &status);
        base_put_u8(out, '\n');
    }
}

static bool plan(const struct conformance_changer *changer, const struct script_case *item,
                 const struct raft_conf_change *change, struct raft_conf_plan *out)
{
    const struct raft_conf_state *from = &changer->tracker.conf;
    if (strcmp(item->command, "simple") == 0) {
        return raft_conf_simple(from, change->changes, change->change_count, out);
    }
    if (strcmp(item->command, "enter-joint") == 0) {
        const char *auto_leave = script_value(item, "autoleave");
        return raft_conf_enter_joint(from, auto_leave && strcmp(auto_leave, "true") == 0, change->changes,
                                     change->change_count, out);
    }
    if (strcmp(item->command, "leave-joint") != 0) {
        *out = (struct raft_conf_plan){.refusal = "unknown command"};
        return false;
    }
    if (change->change_count > 0) {
        *out = (struct raft_conf_plan){.refusal = "this command takes no input"};
        return false;
    }
    return raft_conf_leave_joint(from, out);
}

void conformance_change(struct conformance_changer *changer, const struct script_case *item,
                        struct base_buffer *out)
{
    struct raft_conf_change change = {0};
    struct raft_conf_plan to;
    if (conformance_parse_changes(item->input, &change, out)) {
        if (plan(changer, item, &change, &to)) {
            raft_tracker_switch(&changer->tracker, &to, changer->last);
            put_tracker(&changer->tracker, out);
        } else {
            raft_text_string(out, to.refusal);
        }
    }
    changer->last++;
}
