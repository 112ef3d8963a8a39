/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/types.h"
#include "core/wal/record.h"
#include "core/wal/text.h"
#include "sim/campaign/arguments.h"
#include "sim/campaign/memory.h"
#include "sim/cmd.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_SIZE = 4, PAIR_SIZE = 16, STATE_SIZE = 24 };

/* All of a file; NULL when it cannot be read. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    size_t capacity = 1 << 16;
    uint8_t *data = campaign_alloc(capacity);
    *size = 0;
    size_t got;
    while ((got = fread(data + *size, 1, capacity - *size, file)) > 0) {
        *size += got;
        if (*size == capacity) {
            capacity *= 2;
            data = campaign_resize(data, capacity);
        }
    }
    bool is_good = ferror(file) == 0;
    (void)fclose(file);
    if (!is_good) {
        free(data);
        return NULL;
    }
    return data;
}

static const char *entry_text(uint8_t subtype)
{
    switch ((enum raft_entry_type)subtype) {
    case RAFT_ENTRY_NORMAL:
        return "normal";
    case RAFT_ENTRY_CONF_CHANGE:
        return "conf-change";
    case RAFT_ENTRY_CONF_CHANGE_V2:
        return "conf-change-v2";
    }
    return "of a type unknown";
}

/* What a record says; a checksum has vouched for its bytes, its size is checked here. */
static void print_record(uint64_t offset, const struct wal_record *record)
{
    const uint8_t *at = record->payload.data;
    size_t size = record->payload.size;
    printf("%10" PRIu64 "  ", offset);
    if (record->type == WAL_RECORD_CHAIN && size >= CHAIN_SIZE) {
        printf("chain       %08" PRIx32 "\n", base_load_u32(at));
    } else if (record->type == WAL_RECORD_METADATA && size >= PAIR_SIZE) {
        printf("metadata    member %" PRIx64 " cluster %" PRIx64 "\n", base_load_u64(at),
               base_load_u64(at + 8));
    } else if (record->type == WAL_RECORD_HARD_STATE && size >= STATE_SIZE) {
        printf("hard state  term %" PRIu64 " vote %" PRIx64 " commit %" PRIu64 "\n", base_load_u64(at),
               base_load_u64(at + 8), base_load_u64(at + 16));
    } else if (record->type == WAL_RECORD_ENTRY && size >= PAIR_SIZE) {
        printf("entry       index %" PRIu64 " term %" PRIu64 " %s, %zu bytes\n", base_load_u64(at),
               base_load_u64(at + 8), entry_text(record->subtype), size - PAIR_SIZE);
    } else if (record->type == WAL_RECORD_SNAPSHOT && size >= PAIR_SIZE) {
        printf("snapshot    index %" PRIu64 " term %" PRIu64 "\n", base_load_u64(at), base_load_u64(at + 8));
    } else {
        printf("type %d, %zu bytes: shorter than its type\n", (int)record->type, size);
    }
}

/* Print a segment and check every record of it. */
static int print_segment(const char *path, uint64_t sequence, struct base_bytes segment)
{
    struct wal_cursor cursor = {.sequence = sequence};
    struct wal_record record;
    struct wal_damage damage;
    if (segment.size >= WAL_HEADER_SIZE + CHAIN_SIZE) {
        cursor.chain = base_load_u32(segment.data + WAL_HEADER_SIZE); /* The first record says it. */
    }
    uint64_t count = 0;
    enum wal_reading reading;
    uint64_t offset = 0;
    while ((reading = wal_record_read(&cursor, segment, &record, &damage)) == WAL_READ_RECORD) {
        print_record(offset, &record);
        offset = cursor.offset;
        count++;
    }
    if (reading == WAL_READ_END) {
        printf("%s: %" PRIu64 " records, all whole\n", path, count);
        return CMD_HELD;
    }
    uint64_t witness = 0;
    bool is_torn = wal_record_is_torn(&cursor, segment, &damage, &witness);
    printf("%s:%" PRIu64 ": found %s, expected %s\n", path, cursor.offset, damage.found, damage.expected);
    if (is_torn) {
        printf("%s: %" PRIu64 " records, then a torn tail, as a power loss leaves it\n", path, count);
        return CMD_HELD;
    }
    printf("%s: %" PRIu64 " records, then corruption", path, count);
    if (witness > 0) {
        printf(": the record at %" PRIu64 " says that it was synced", witness);
    }
    printf("\n");
    return CMD_VIOLATED;
}

static int print_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    uint64_t sequence = 0;
    uint64_t first = 0;
    if (!wal_text_is_segment(slash ? slash + 1 : path, &sequence, &first)) {
        fprintf(stderr, "faultline wal: %s: found another name, expected a segment's: SEQUENCE-INDEX.wal\n",
                path);
        return CMD_WRONG;
    }
    size_t size = 0;
    uint8_t *data = read_file(path, &size);
    if (!data) {
        fprintf(stderr, "faultline wal: %s: cannot be read\n", path);
        return CMD_WRONG;
    }
    printf("%s: sequence %" PRIu64 ", from index %" PRIu64 ", %zu bytes\n", path, sequence, first, size);
    int status = print_segment(path, sequence, (struct base_bytes){.data = data, .size = size});
    free(data);
    return status;
}

int cmd_wal(int argc, char **argv)
{
    struct campaign_arguments arguments = {.command = "wal", .usage = "FILE…"};
    arguments.words = campaign_alloc((size_t)argc * sizeof arguments.words[0]);
    int status = CMD_WRONG;
    if (!campaign_arguments_read(&arguments, argc - 1, argv + 1, stderr)) {
        status = CMD_WRONG;
    } else if (arguments.wants_help) {
        campaign_arguments_help(&arguments, stdout);
        status = CMD_HELD;
    } else if (arguments.word_count == 0) {
        fprintf(stderr, "faultline wal: found no FILE, expected segments of a log\n");
    } else {
        status = CMD_HELD;
        for (uint32_t i = 0; i < arguments.word_count; i++) {
            int own = print_file(arguments.words[i]);
            status = own > status ? own : status;
        }
    }
    free(arguments.words);
    return status;
}
