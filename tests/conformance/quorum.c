/* SPDX-License-Identifier: Apache-2.0 */
/* committed cfg=(1,2,3) cfgj=(2,3) idx=(5,_,7): what is committed, with a table;
 * vote … votes=(y,n,_): the outcome. */
#include "core/raft/quorum.h"
#include "core/raft/id_set.h"
#include "core/raft/text.h"
#include "tests/conformance/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { IDS_MAX = 2 * SCRIPT_VALUES_MAX };

/* Values by id, in the order in which the ids were given; 0 is none. */
struct table {
    size_t count;
    raft_id ids[IDS_MAX];
    uint64_t values[IDS_MAX];
};

struct question {
    bool is_joint;
    struct raft_id_set incoming;
    struct raft_id_set outgoing;
    struct table table;
    size_t input_count;
    uint64_t inputs[SCRIPT_VALUES_MAX];
};

static void add_id(struct question *question, raft_id id)
{
    struct table *table = &question->table;
    for (size_t i = 0; i < table->count; i++) {
        if (table->ids[i] == id) {
            return;
        }
    }
    table->ids[table->count++] = id;
}

static void read_ids(struct question *question, const struct script_argument *argument,
                     struct raft_id_set *set)
{
    for (size_t i = 0; argument && i < argument->value_count; i++) {
        if (strcmp(argument->values[i], "zero") != 0) {
            raft_id id = strtoull(argument->values[i], NULL, 10);
            (void)raft_id_set_add(set, id);
            add_id(question, id);
        }
    }
}

static uint64_t input_value(const char *text)
{
    if (strcmp(text, "y") == 0) {
        return 2;
    }
    if (strcmp(text, "n") == 0) {
        return 1;
    }
    return strcmp(text, "_") == 0 ? 0 : strtoull(text, NULL, 10);
}

static void read_question(const struct script_case *item, struct question *question)
{
    *question = (struct question){.is_joint = script_argument(item, "cfgj") != NULL};
    read_ids(question, script_argument(item, "cfg"), &question->incoming);
    read_ids(question, script_argument(item, "cfgj"), &question->outgoing);
    const struct script_argument *inputs =
        script_argument(item, strcmp(item->command, "vote") == 0 ? "votes" : "idx");
    for (size_t i = 0; inputs && i < inputs->value_count; i++) {
        question->inputs[question->input_count++] = input_value(inputs->values[i]);
    }
    for (size_t i = 0; i < question->table.count && i < question->input_count; i++) {
        question->table.values[i] = question->inputs[i];
    }
}

static uint64_t value_of(const struct table *table, raft_id id)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->ids[i] == id) {
            return table->values[i];
        }
    }
    return 0;
}

static raft_index committed(const struct question *question, const struct raft_id_set *half)
{
    raft_index acked[RAFT_MEMBERS_MAX];
    for (uint32_t i = 0; i < half->count; i++) {
        acked[i] = value_of(&question->table, half->ids[i]);
    }
    return raft_quorum_committed(acked, half->count);
}

static enum raft_vote_result vote(const struct question *question, const struct raft_id_set *half)
{
    uint32_t granted = 0;
    uint32_t rejected = 0;
    for (uint32_t i = 0; i < half->count; i++) {
        uint64_t value = value_of(&question->table, half->ids[i]);
        granted += value == 2;
        rejected += value == 1;
    }
    return raft_quorum_vote(half->count, granted, rejected);
}

static void put_repeated(struct base_buffer *out, char letter, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        base_put_u8(out, (uint8_t)letter);
    }
}

/* The number right-aligned in five places. */
static void put_padded(struct base_buffer *out, uint64_t value)
{
    size_t digits = 1;
    for (uint64_t rest = value; rest >= 10; rest /= 10) {
        digits++;
    }
    put_repeated(out, ' ', digits < 5 ? 5 - digits : 0);
    raft_text_decimal(out, value);
}

/* A row per voter, its bar as long as the number of voters that are behind it. */
static void put_table(struct base_buffer *out, const struct question *question,
                      const struct raft_id_set *voters)
{
    size_t count = voters->count;
    if (count == 0) {
        raft_text_string(out, "<empty majority quorum>");
        return;
    }
    put_repeated(out, ' ', count);
    raft_text_string(out, "    idx\n");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = value_of(&question->table, voters->ids[i]);
        size_t bar = 0;
        for (uint32_t other = 0; other < count; other++) {
            bar += value_of(&question->table, voters->ids[other]) < value;
        }
        if (value == 0) {
            base_put_u8(out, '?');
            put_repeated(out, ' ', count);
        } else {
            put_repeated(out, 'x', bar);
            base_put_u8(out, '>');
            put_repeated(out, ' ', count - bar);
        }
        base_put_u8(out, ' ');
        put_padded(out, value);
        raft_text_string(out, "    (id=");
        raft_text_decimal(out, voters->ids[i]);
        raft_text_string(out, ")\n");
    }
}

static void put_index(struct base_buffer *out, raft_index index)
{
    if (index == UINT64_MAX) {
        raft_text_string(out, "∞");
    } else {
        raft_text_decimal(out, index);
    }
}

static void answer_committed(const struct question *question, struct base_buffer *out)
{
    struct raft_id_set voters = question->incoming;
    for (uint32_t i = 0; i < question->outgoing.count; i++) {
        (void)raft_id_set_add(&voters, question->outgoing.ids[i]);
    }
    put_table(out, question, &voters);
    raft_index incoming = committed(question, &question->incoming);
    raft_index outgoing = committed(question, &question->outgoing);
    put_index(out, incoming < outgoing ? incoming : outgoing);
    base_put_u8(out, '\n');
}

/* "error: mismatched input (explicit or _) for voters map[1:{} 2:{}]: [5]" */
static void put_mismatch(const struct question *question, struct base_buffer *out)
{
    struct raft_id_set voters = {0};
    for (size_t i = 0; i < question->table.count; i++) {
        (void)raft_id_set_add(&voters, question->table.ids[i]);
    }
    raft_text_string(out, "error: mismatched input (explicit or _) for voters map[");
    for (uint32_t i = 0; i < voters.count; i++) {
        raft_text_string(out, i > 0 ? " " : "");
        raft_text_decimal(out, voters.ids[i]);
        raft_text_string(out, ":{}");
    }
    raft_text_string(out, "]: [");
    for (size_t i = 0; i < question->input_count; i++) {
        raft_text_string(out, i > 0 ? " " : "");
        raft_text_decimal(out, question->inputs[i]);
    }
    raft_text_string(out, "]");
}

void conformance_quorum(const struct script_case *item, struct base_buffer *out)
{
    static const char *const results[] = {
        [RAFT_VOTE_PENDING] = "VotePending",
        [RAFT_VOTE_LOST] = "VoteLost",
        [RAFT_VOTE_WON] = "VoteWon",
    };
    struct question question;
    read_question(item, &question);
    if (question.table.count != question.input_count) {
        put_mismatch(&question, out);
    } else if (strcmp(item->command, "committed") == 0) {
        answer_committed(&question, out);
    } else {
        enum raft_vote_result result =
            raft_quorum_vote_joint(vote(&question, &question.incoming), vote(&question, &question.outgoing));
        raft_text_string(out, results[result]);
    }
}
