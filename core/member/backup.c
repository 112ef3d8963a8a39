/* A backup is taken in pieces that its taker comes for one after the other; the
 * state they add up to is that of the first request. Meanwhile the member goes on:
 * the store's stream is one of revisions, and what comes later is not in it
 * (etcd-behaviour §4.6). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member/backup.h"

#include "core/member/state.h"

enum { VERSION = 1, HEAD_SIZE = 8 + 4 + 8 + 8 + 8 + 8 + 8 };

static const uint8_t magic[8] = {'F', 'L', 'b', 'a', 'c', 'k', 'u', 'p'};

enum base_status member_backup_read(struct base_bytes file, struct member_backup_info *out)
{
    struct base_reader reader;
    base_reader_init(&reader, file);
    if (file.size < sizeof magic || memcmp(file.data, magic, sizeof magic) != 0) {
        return BASE_BACKUP_FOREIGN;
    }
    reader.at = sizeof magic;
    uint32_t version = base_get_u32(&reader);
    if (!reader.failed && version != VERSION) {
        return BASE_BACKUP_FOREIGN;
    }
    if (file.size < HEAD_SIZE + BASE_SHA256_SIZE) {
        return BASE_BACKUP_DAMAGED;
    }
    struct base_sha256 sha;
    uint8_t digest[BASE_SHA256_SIZE];
    size_t content = file.size - BASE_SHA256_SIZE;
    base_sha256_init(&sha);
    base_sha256_put(&sha, (struct base_bytes){.data = file.data, .size = content});
    base_sha256_end(&sha, digest);
    if (memcmp(digest, file.data + content, sizeof digest) != 0) {
        return BASE_BACKUP_DAMAGED;
    }
    *out = (struct member_backup_info){.cluster_id = base_get_u64(&reader)};
    out->index = base_get_u64(&reader);
    out->term = base_get_u64(&reader);
    out->revision = base_get_i64(&reader);
    out->store_hash = base_get_u64(&reader);
    out->state = (struct base_bytes){.data = file.data + reader.at, .size = content - reader.at};
    return BASE_OK;
}

/* --- taking one --- */

static struct member_backup *find(struct member *member, uint64_t number, uint64_t connection)
{
    for (uint32_t slot = 0; slot < member->backups.count; slot++) {
        struct member_backup *backup = &member->backups.list[slot];
        if (backup->number == number && backup->connection == connection) {
            return backup;
        }
    }
    return NULL;
}

static void end(struct member *member, struct member_backup *backup)
{
    struct member_backups *backups = &member->backups;
    kv_snapshot_end(backup->stream);
    backups->count--;
    *backup = backups->list[backups->count];
    member_apply_wake(member); /* A compaction may have waited. */
}

/* The state of this instant: its head is in `out`, the store's part is to follow. */
static struct member_backup *begin(struct member *member, uint64_t connection, struct base_buffer *out)
{
    struct member_backups *backups = &member->backups;
    raft_term term = 0;
    (void)raft_term_at(member->raft, member->apply.applied, &term);
    memcpy(base_buffer_extend(out, sizeof magic), magic, sizeof magic);
    base_put_u32(out, VERSION);
    base_put_u64(out, member->cluster_id);
    base_put_u64(out, member->apply.applied);
    base_put_u64(out, term);
    base_put_i64(out, kv_revision(member->kv));
    base_put_u64(out, member_store_hash(member));
    member_snapshot_head(member, out);
    struct member_backup *backup = &backups->list[backups->count++];
    *backup = (struct member_backup){
        .number = ++backups->number,
        .connection = connection,
        .stream = kv_snapshot_begin(member->kv),
    };
    base_sha256_init(&backup->sha);
    return backup;
}

void member_backup_request(struct member *member, uint64_t connection, const struct wire_request *request)
{
    struct base_buffer *piece = &member->scratch;
    struct member_backup *backup = find(member, request->watch, connection);
    base_buffer_reset(piece);
    if (request->watch == 0 && member->backups.count < MEMBER_BACKUPS_MAX) {
        backup = begin(member, connection, piece);
    }
    if (!backup || backup->offset != (uint64_t)request->revision) {
        enum base_status status = request->watch == 0 ? BASE_TOO_MANY_REQUESTS : BASE_CANCELED;
        member_respond(member, connection, request->id, status, NULL);
        return;
    }
    bool goes_on = kv_snapshot_slice(backup->stream, MEMBER_SLICE_BYTES, piece);
    base_sha256_put(&backup->sha, base_buffer_view(piece));
    struct wire_response response = {.lease = (int64_t)backup->number};
    if (goes_on) {
        backup->offset += piece->size;
        backup->deadline_ns = member->now_ns + MEMBER_BACKUP_NS;
        response.result.more = true;
    } else {
        base_sha256_end(&backup->sha, base_buffer_extend(piece, BASE_SHA256_SIZE));
        end(member, backup);
    }
    response.data = base_buffer_view(piece);
    member_respond(member, connection, request->id, BASE_OK, &response);
}

void member_backups_closed(struct member *member, uint64_t connection)
{
    for (uint32_t slot = member->backups.count; slot-- > 0;) {
        if (member->backups.list[slot].connection == connection) {
            end(member, &member->backups.list[slot]);
        }
    }
}

void member_backups_drop(struct member *member)
{
    while (member->backups.count > 0) {
        kv_snapshot_end(member->backups.list[--member->backups.count].stream);
    }
}

void member_backups_due(struct member *member)
{
    for (uint32_t slot = member->backups.count; slot-- > 0;) {
        if (member->backups.list[slot].deadline_ns <= member->now_ns) {
            end(member, &member->backups.list[slot]);
        }
    }
}

uint64_t member_backups_due_ns(const struct member *member)
{
    uint64_t due = HOST_NEVER;
    for (uint32_t slot = 0; slot < member->backups.count; slot++) {
        uint64_t deadline = member->backups.list[slot].deadline_ns;
        due = deadline < due ? deadline : due;
    }
    return due;
}
