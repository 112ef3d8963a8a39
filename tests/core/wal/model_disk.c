/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/wal/model_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void resize_bytes(struct model_bytes *bytes, size_t size)
{
    if (size > bytes->capacity) {
        bytes->capacity = size * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
    }
    if (size > bytes->size) {
        memset(bytes->data + bytes->size, 0, size - bytes->size);
    }
    bytes->size = size;
}

static struct model_bytes copy_bytes(const struct model_bytes *bytes)
{
    struct model_bytes copy = {0};
    resize_bytes(&copy, bytes->size);
    if (bytes->size > 0) {
        memcpy(copy.data, bytes->data, bytes->size);
    }
    return copy;
}

static void put_text(char *to, const char *text)
{
    assert(strlen(text) < MODEL_NAME_SIZE);
    memset(to, 0, MODEL_NAME_SIZE);
    memcpy(to, text, strlen(text));
}

static bool is_in(const char *name, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(name, directory, length) == 0 && name[length] == '/';
}

static size_t sectors(size_t size)
{
    return (size + MODEL_SECTOR - 1) / MODEL_SECTOR;
}

/* Names. */

static struct model_name *find_name(struct model_name *names, const char *text)
{
    for (int slot = 0; slot < MODEL_FILES_MAX; slot++) {
        if (names[slot].file != 0 && strcmp(names[slot].text, text) == 0) {
            return &names[slot];
        }
    }
    return NULL;
}

static void set_name(struct model_name *names, const char *text, uint32_t file)
{
    struct model_name *name = find_name(names, text);
    for (int slot = 0; !name && slot < MODEL_FILES_MAX; slot++) {
        name = names[slot].file == 0 ? &names[slot] : NULL;
    }
    assert(name);
    put_text(name->text, text);
    name->file = file;
}

static void clear_name(struct model_name *names, const char *text)
{
    struct model_name *name = find_name(names, text);
    if (name) {
        *name = (struct model_name){0};
    }
}

static void apply_change(struct model_name *names, const struct model_change *change)
{
    if (change->from[0] != '\0') {
        clear_name(names, change->from);
    }
    if (change->to[0] != '\0') {
        set_name(names, change->to, change->file);
    }
}

static void change_names(struct model_disk *model, const char *from, const char *to, uint32_t file)
{
    assert(model->change_count < MODEL_FILES_MAX);
    struct model_change *change = &model->changes[model->change_count++];
    put_text(change->from, from);
    put_text(change->to, to);
    change->file = file;
    apply_change(model->names, change);
}

static void sync_names(struct model_disk *model, const char *directory)
{
    uint32_t kept = 0;
    for (uint32_t slot = 0; slot < model->change_count; slot++) {
        const struct model_change *change = &model->changes[slot];
        if (is_in(change->from[0] != '\0' ? change->from : change->to, directory)) {
            apply_change(model->durable_names, change);
        } else {
            model->changes[kept++] = *change;
        }
    }
    model->change_count = kept;
}

/* Files. */

static void mark_dirty(struct model_file *file, size_t begin, size_t end)
{
    if (sectors(end) > file->dirty.size) {
        resize_bytes(&file->dirty, sectors(end));
    }
    for (size_t sector = begin / MODEL_SECTOR; sector < sectors(end); sector++) {
        file->dirty.data[sector] = 1;
    }
}

static void write_bytes(struct model_file *file, size_t offset, const uint8_t *bytes, size_t size)
{
    if (offset + size > file->cache.size) {
        resize_bytes(&file->cache, offset + size);
    }
    if (size > 0) {
        memcpy(file->cache.data + offset, bytes, size);
        mark_dirty(file, offset, offset + size);
    }
}

static void sync_file(struct model_file *file)
{
    free(file->durable.data);
    file->durable = copy_bytes(&file->cache);
    if (file->dirty.size > 0) {
        memset(file->dirty.data, 0, file->dirty.size);
    }
}

/* Copy one sector from the cache into `bytes`, which grows as far as need be. */
static void keep_sector(const struct model_file *file, struct model_bytes *bytes, size_t sector)
{
    size_t begin = sector * MODEL_SECTOR;
    size_t end = begin + MODEL_SECTOR < file->cache.size ? begin + MODEL_SECTOR : file->cache.size;
    if (begin >= end) {
        return;
    }
    if (end > bytes->size) {
        resize_bytes(bytes, end);
    }
    memcpy(bytes->data + begin, file->cache.data + begin, end - begin);
}

/* The table of functions. */

static struct model_operation *enqueue(struct model_disk *model, enum model_kind kind, uint64_t token)
{
    assert(model->queue_count < MODEL_QUEUE_MAX);
    struct model_operation *operation = &model->queue[model->queue_count++];
    *operation = (struct model_operation){.kind = kind, .token = token};
    return operation;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint32_t sorted_names(const struct model_disk *model, const char *directory,
                             const char *found[MODEL_FILES_MAX])
{
    uint32_t count = 0;
    for (int slot = 0; slot < MODEL_FILES_MAX; slot++) {
        if (model->names[slot].file != 0 && is_in(model->names[slot].text, directory)) {
            found[count++] = model->names[slot].text;
        }
    }
    qsort(found, count, sizeof found[0], compare_names);
    return count;
}

static enum disk_status list(void *context, const char *directory,
                             void (*visit)(void *visitor, const char *name), void *visitor)
{
    const char *found[MODEL_FILES_MAX];
    uint32_t count = sorted_names(context, directory, found);
    for (uint32_t place = 0; place < count; place++) {
        visit(visitor, found[place] + strlen(directory) + 1);
    }
    return count > 0 ? DISK_OK : DISK_NOT_FOUND;
}

static enum disk_status open_file(void *context, const char *name, disk_file *file, uint64_t *size_bytes)
{
    struct model_disk *model = context;
    struct model_name *found = find_name(model->names, name);
    if (!found) {
        return DISK_NOT_FOUND;
    }
    *file = found->file;
    *size_bytes = model->files[found->file].cache.size;
    return DISK_OK;
}

static enum disk_status read_file(void *context, disk_file file, uint64_t offset, void *bytes, size_t size,
                                  size_t *got)
{
    struct model_disk *model = context;
    *got = 0;
    if (++model->reads == model->fail_read_at) {
        return DISK_IO_ERROR;
    }
    const struct model_bytes *cache = &model->files[file].cache;
    if (offset < cache->size) {
        *got = size < cache->size - offset ? size : cache->size - offset;
        memcpy(bytes, cache->data + offset, *got);
    }
    return DISK_OK;
}

static void close_file(void *context, disk_file file)
{
    const struct model_disk *model = context;
    for (uint32_t slot = 0; slot < model->queue_count; slot++) {
        bool is_of_name = model->queue[slot].kind == MODEL_RENAME || model->queue[slot].kind == MODEL_REMOVE;
        assert(is_of_name || model->queue[slot].file != file);
    }
}

static disk_file create(void *context, uint64_t token, const char *name)
{
    struct model_disk *model = context;
    struct model_operation *operation = enqueue(model, MODEL_CREATE, token);
    assert(model->file_count + 1 < MODEL_FILES_MAX);
    operation->file = ++model->file_count;
    put_text(operation->name, name);
    return operation->file;
}

static void put(struct model_disk *model, enum model_kind kind, uint64_t token, disk_file file,
                uint64_t offset, struct base_bytes bytes)
{
    struct model_operation *operation = enqueue(model, kind, token);
    operation->file = file;
    operation->offset = offset;
    resize_bytes(&operation->bytes, bytes.size);
    if (bytes.size > 0) {
        memcpy(operation->bytes.data, bytes.data, bytes.size);
    }
}

static void append(void *context, uint64_t token, disk_file file, struct base_bytes bytes,
                   const struct disk_tag *tags, uint32_t tag_count)
{
    struct model_disk *model = context;
    put(model, MODEL_APPEND, token, file, 0, bytes);
    model->tag_count = tag_count < 16 ? tag_count : 16;
    if (tag_count > 0) {
        memcpy(model->tags, tags, model->tag_count * sizeof tags[0]);
    }
}

static void write_at(void *context, uint64_t token, disk_file file, uint64_t offset, struct base_bytes bytes,
                     const struct disk_tag *tags, uint32_t tag_count)
{
    (void)tags;
    (void)tag_count;
    put(context, MODEL_WRITE, token, file, offset, bytes);
}

static void truncate_file(void *context, uint64_t token, disk_file file, uint64_t size_bytes)
{
    put(context, MODEL_TRUNCATE, token, file, size_bytes, (struct base_bytes){0});
}

static void allocate_room(void *context, uint64_t token, disk_file file, uint64_t size_bytes)
{
    put(context, MODEL_ALLOCATE, token, file, size_bytes, (struct base_bytes){0});
}

static void sync_one(void *context, uint64_t token, disk_file file)
{
    put(context, MODEL_SYNC, token, file, 0, (struct base_bytes){0});
}

/* The file that a rename or removal is about, as names stand when it is asked:
 * a file whose creation still waits counts. */
static uint32_t file_of(struct model_disk *model, const char *name)
{
    for (uint32_t slot = model->queue_count; slot-- > 0;) {
        if (model->queue[slot].kind == MODEL_CREATE && strcmp(model->queue[slot].name, name) == 0) {
            return model->queue[slot].file;
        }
    }
    struct model_name *found = find_name(model->names, name);
    return found ? found->file : 0;
}

static void rename_file(void *context, uint64_t token, const char *from, const char *to)
{
    uint32_t file = file_of(context, from);
    struct model_operation *operation = enqueue(context, MODEL_RENAME, token);
    operation->file = file;
    put_text(operation->name, from);
    put_text(operation->to, to);
}

static void remove_file(void *context, uint64_t token, const char *name)
{
    uint32_t file = file_of(context, name);
    struct model_operation *operation = enqueue(context, MODEL_REMOVE, token);
    operation->file = file;
    put_text(operation->name, name);
}

static void sync_directory(void *context, uint64_t token, const char *directory)
{
    struct model_operation *operation = enqueue(context, MODEL_SYNC_DIRECTORY, token);
    put_text(operation->name, directory);
}

static void set_table(struct model_disk *model)
{
    model->disk = (struct disk){
        .context = model,
        .list = list,
        .open = open_file,
        .read = read_file,
        .close = close_file,
        .create = create,
        .append = append,
        .write = write_at,
        .truncate = truncate_file,
        .allocate = allocate_room,
        .sync = sync_one,
        .rename = rename_file,
        .remove = remove_file,
        .sync_directory = sync_directory,
    };
}

struct model_disk *model_disk_new(void)
{
    struct model_disk *model = calloc(1, sizeof *model);
    set_table(model);
    return model;
}

struct model_disk *model_disk_copy(const struct model_disk *model)
{
    struct model_disk *copy = malloc(sizeof *copy);
    *copy = *model;
    set_table(copy);
    for (uint32_t slot = 1; slot <= model->file_count; slot++) {
        copy->files[slot].cache = copy_bytes(&model->files[slot].cache);
        copy->files[slot].durable = copy_bytes(&model->files[slot].durable);
        copy->files[slot].dirty = copy_bytes(&model->files[slot].dirty);
    }
    for (uint32_t slot = 0; slot < model->queue_count; slot++) {
        copy->queue[slot].bytes = copy_bytes(&model->queue[slot].bytes);
    }
    return copy;
}

void model_disk_kill(struct model_disk *model)
{
    for (uint32_t slot = 0; slot < model->queue_count; slot++) {
        free(model->queue[slot].bytes.data);
    }
    model->queue_count = 0;
    for (uint32_t slot = 1; slot <= model->file_count; slot++) {
        model->files[slot].has_failed = false;
    }
}

void model_disk_free(struct model_disk *model)
{
    model_disk_kill(model);
    for (uint32_t slot = 1; slot <= model->file_count; slot++) {
        free(model->files[slot].cache.data);
        free(model->files[slot].durable.data);
        free(model->files[slot].dirty.data);
    }
    free(model);
}

/* Carrying out. */

static bool is_of_names(enum model_kind kind)
{
    return kind == MODEL_CREATE || kind == MODEL_RENAME || kind == MODEL_REMOVE ||
           kind == MODEL_SYNC_DIRECTORY;
}

static bool must_follow(const struct model_operation *later, const struct model_operation *earlier)
{
    if (later->file != 0 && later->file == earlier->file) {
        return true;
    }
    return is_of_names(later->kind) && is_of_names(earlier->kind) && later->name[0] == earlier->name[0];
}

static uint32_t choose(const struct model_disk *model, uint64_t choice)
{
    uint32_t open[MODEL_QUEUE_MAX];
    uint32_t open_count = 0;
    for (uint32_t slot = 0; slot < model->queue_count; slot++) {
        bool is_open = true;
        for (uint32_t before = 0; is_open && before < slot; before++) {
            is_open = !must_follow(&model->queue[slot], &model->queue[before]);
        }
        if (is_open) {
            open[open_count++] = slot;
        }
    }
    return open[choice % open_count];
}

static enum disk_status carry_out(struct model_disk *model, struct model_operation *operation, bool fails)
{
    struct model_file *file = &model->files[operation->file];
    switch (operation->kind) {
    case MODEL_CREATE:
        if (find_name(model->names, operation->name)) {
            return DISK_EXISTS;
        }
        change_names(model, "", operation->name, operation->file);
        return DISK_OK;
    case MODEL_APPEND:
    case MODEL_WRITE:
        if (file->has_failed) {
            return DISK_IO_ERROR;
        }
        model->appends++;
        model->beyond_room += file->room > 0 && file->cache.size + operation->bytes.size > file->room;
        write_bytes(file, operation->kind == MODEL_APPEND ? file->cache.size : operation->offset,
                    operation->bytes.data, operation->bytes.size / (fails ? 2 : 1));
        return DISK_OK;
    case MODEL_TRUNCATE: {
        size_t size = file->cache.size;
        resize_bytes(&file->cache, operation->offset);
        mark_dirty(file, operation->offset, size);
        return DISK_OK;
    }
    case MODEL_ALLOCATE:
        model->allocations++;
        file->room = fails ? file->room : operation->offset;
        return DISK_OK;
    case MODEL_SYNC:
        model->syncs++;
        if (!fails) {
            sync_file(file);
        }
        return DISK_OK;
    case MODEL_RENAME:
        change_names(model, operation->name, operation->to, operation->file);
        return DISK_OK;
    case MODEL_REMOVE:
        if (!find_name(model->names, operation->name)) {
            return DISK_NOT_FOUND;
        }
        change_names(model, operation->name, "", 0);
        return DISK_OK;
    case MODEL_SYNC_DIRECTORY:
        if (!fails) {
            sync_names(model, operation->name);
        }
        return DISK_OK;
    }
    return DISK_OK;
}

bool model_disk_step(struct model_disk *model, uint64_t choice, uint64_t *token, enum disk_status *status)
{
    if (model->queue_count == 0) {
        return false;
    }
    uint32_t slot = choose(model, choice);
    struct model_operation operation = model->queue[slot];
    model->queue_count--;
    memmove(&model->queue[slot], &model->queue[slot + 1], (model->queue_count - slot) * sizeof operation);
    model->carried_out++;
    bool fails = model->carried_out == model->fail_at;
    *token = operation.token;
    *status = carry_out(model, &operation, fails);
    if (fails) {
        *status = model->fail_with;
        model->files[operation.file].has_failed |= operation.kind == MODEL_APPEND ||
                                                   operation.kind == MODEL_WRITE ||
                                                   operation.kind == MODEL_TRUNCATE;
    }
    free(operation.bytes.data);
    return true;
}

/* Losing power. */

uint32_t model_disk_questions(const struct model_disk *model)
{
    uint32_t count = model->change_count;
    for (uint32_t slot = 1; slot <= model->file_count; slot++) {
        const struct model_file *file = &model->files[slot];
        for (size_t sector = 0; sector < file->dirty.size; sector++) {
            count += file->dirty.data[sector];
        }
        count += file->cache.size != file->durable.size;
    }
    return count;
}

static bool next_answer(const uint64_t *answers, uint32_t *question)
{
    bool answer = answers[*question / 64] >> (*question % 64) & 1;
    (*question)++;
    return answer;
}

static void lose_file(struct model_file *file, const uint64_t *answers, uint32_t *question)
{
    bool keeps_size = file->cache.size != file->durable.size && next_answer(answers, question);
    size_t size = file->cache.size;
    struct model_bytes left = copy_bytes(&file->durable);
    for (size_t sector = 0; sector < file->dirty.size; sector++) {
        if (file->dirty.data[sector] && next_answer(answers, question)) {
            keep_sector(file, &left, sector);
        }
    }
    if (keeps_size) {
        resize_bytes(&left, size);
    }
    free(file->cache.data);
    file->cache = left;
    sync_file(file);
}

void model_disk_lose_power(struct model_disk *model, const uint64_t *answers)
{
    model_disk_kill(model);
    uint32_t question = 0;
    for (uint32_t slot = 0; slot < model->change_count; slot++) {
        if (next_answer(answers, &question)) {
            apply_change(model->durable_names, &model->changes[slot]);
        }
    }
    model->change_count = 0;
    memcpy(model->names, model->durable_names, sizeof model->names);
    for (uint32_t slot = 1; slot <= model->file_count; slot++) {
        lose_file(&model->files[slot], answers, &question);
    }
}

void model_disk_write_back(struct model_disk *model, uint64_t choice)
{
    uint32_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t wanted = count > 0 ? (uint32_t)(choice % count) : 0;
        count = 0;
        for (uint32_t slot = 1; slot <= model->file_count; slot++) {
            struct model_file *file = &model->files[slot];
            for (size_t sector = 0; sector < file->dirty.size; sector++) {
                count += file->dirty.data[sector];
                if (pass == 1 && file->dirty.data[sector] && count == wanted + 1) {
                    keep_sector(file, &file->durable, sector);
                    file->dirty.data[sector] = 0;
                    return;
                }
            }
        }
        if (count == 0) {
            return;
        }
    }
}

struct model_file *model_disk_find(struct model_disk *model, const char *name)
{
    struct model_name *found = find_name(model->names, name);
    return found ? &model->files[found->file] : NULL;
}

const char *model_disk_name(const struct model_disk *model, const char *directory, uint32_t place)
{
    const char *found[MODEL_FILES_MAX];
    uint32_t count = sorted_names(model, directory, found);
    return place < count ? found[place] : NULL;
}

const char *model_disk_last(const struct model_disk *model, const char *directory)
{
    const char *found[MODEL_FILES_MAX];
    uint32_t count = sorted_names(model, directory, found);
    return count > 0 ? found[count - 1] : NULL;
}
