/* Timers, the table that answers are looked up in, copies, and the index. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/state.h"

#include <assert.h>

uint64_t client_jittered(struct client *client, uint64_t base_ns, uint64_t percent)
{
    uint64_t spread = base_ns / 100 * percent;
    uint64_t word = client->host.random(client->host.context);
    uint64_t delay = base_ns - spread + word % (2 * spread + 1);
    return delay == 0 ? 1 : delay; /* Time must pass, or an attempt would follow itself. */
}

static bool comes_before(const struct client_item *a, const struct client_item *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->sequence < b->sequence;
}

static void put(struct client *client, uint32_t place, struct client_item *item)
{
    client->timers[place - 1] = item;
    item->place = place;
}

static void sift_up(struct client *client, struct client_item *item, uint32_t place)
{
    while (place > 1 && comes_before(item, client->timers[place / 2 - 1])) {
        put(client, place, client->timers[place / 2 - 1]);
        place /= 2;
    }
    put(client, place, item);
}

static void sift_down(struct client *client, struct client_item *item, uint32_t place)
{
    for (;;) {
        uint32_t child = place * 2;
        if (child > client->timer_count) {
            break;
        }
        if (child < client->timer_count && comes_before(client->timers[child], client->timers[child - 1])) {
            child++;
        }
        if (!comes_before(client->timers[child - 1], item)) {
            break;
        }
        put(client, place, client->timers[child - 1]);
        place = child;
    }
    put(client, place, item);
}

static void timer_clear(struct client *client, struct client_item *item)
{
    uint32_t place = item->place;
    struct client_item *last = client->timers[--client->timer_count];
    item->place = 0;
    if (last != item) {
        sift_up(client, last, place);
        sift_down(client, last, last->place);
    }
}

void client_timer_set(struct client *client, struct client_item *item, uint64_t due_ns)
{
    if (item->place != 0) {
        timer_clear(client, item);
    }
    if (due_ns == CLIENT_NEVER) {
        return;
    }
    if (client->timer_count == client->timer_capacity) {
        uint32_t capacity = client->timer_capacity == 0 ? 8 : client->timer_capacity * 2;
        client->timers =
            base_resize(&client->allocator, client->timers, client->timer_capacity * sizeof *client->timers,
                        capacity * sizeof *client->timers);
        client->timer_capacity = capacity;
    }
    item->due_ns = due_ns;
    item->sequence = ++client->timer_sequence;
    sift_up(client, item, ++client->timer_count);
}

struct client_item *client_timer_pop(struct client *client)
{
    if (client->timer_count == 0 || client->timers[0]->due_ns > client->now_ns) {
        return NULL;
    }
    struct client_item *item = client->timers[0];
    timer_clear(client, item);
    return item;
}

void client_item_enter(struct client *client, struct client_item *item)
{
    if (client->free_slot_count > 0) {
        item->slot = client->free_slots[--client->free_slot_count];
    } else {
        if (client->item_count == client->item_capacity) {
            uint32_t capacity = client->item_capacity == 0 ? 8 : client->item_capacity * 2;
            client->items = base_resize(&client->allocator, client->items,
                                        client->item_capacity * sizeof(struct client_item *),
                                        capacity * sizeof(struct client_item *));
            client->free_slots = base_resize(&client->allocator, client->free_slots,
                                             client->item_capacity * sizeof *client->free_slots,
                                             capacity * sizeof *client->free_slots);
            client->item_capacity = capacity;
        }
        item->slot = client->item_count++;
        assert(item->slot >> CLIENT_SLOT_BITS == 0);
    }
    client->items[item->slot] = item;
    item->id_min = CLIENT_NEVER;
}

void client_item_leave(struct client *client, struct client_item *item)
{
    assert(client->items[item->slot] == item);
    client_timer_set(client, item, CLIENT_NEVER);
    client->items[item->slot] = NULL;
    client->free_slots[client->free_slot_count++] = item->slot;
}

/* Ids grow, and their low bits say who asked. */
uint64_t client_item_request(struct client *client, const struct client_item *item)
{
    return ++client->request_count << CLIENT_SLOT_BITS | item->slot;
}

struct client_item *client_item_find(const struct client *client, uint64_t request_id)
{
    uint64_t slot = request_id & ((UINT64_C(1) << CLIENT_SLOT_BITS) - 1);
    if (slot >= client->item_count) {
        return NULL;
    }
    struct client_item *item = client->items[slot];
    return item && request_id >= item->id_min ? item : NULL;
}

void client_copy_set(struct client *client, struct client_copy *copy, const struct wire_request *request)
{
    struct wire_message message;
    memset(&message, 0, sizeof message);
    message.kind = WIRE_REQUEST;
    message.request = *request;
    size_t size = wire_flat_size(&message);
    if (size > copy->capacity) {
        client_copy_release(client, copy);
        copy->message = base_alloc(&client->allocator, size);
        copy->capacity = size;
    }
    (void)wire_flatten(&message, copy->message);
}

void client_copy_release(struct client *client, struct client_copy *copy)
{
    base_free(&client->allocator, copy->message, copy->capacity);
    *copy = (struct client_copy){0};
}

/* The first slot whose key is not below `key`. */
static uint32_t seek(const struct client_index *index, uint64_t key)
{
    uint32_t low = 0;
    uint32_t high = index->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void *client_index_get(const struct client_index *index, uint64_t key)
{
    uint32_t slot = seek(index, key);
    return slot < index->count && index->keys[slot] == key ? index->values[slot] : NULL;
}

void client_index_insert(struct client *client, struct client_index *index, uint64_t key, void *value)
{
    uint32_t slot = seek(index, key);
    assert(slot == index->count || index->keys[slot] != key);
    if (index->count == index->capacity) {
        uint32_t capacity = index->capacity == 0 ? 4 : index->capacity * 2;
        index->keys = base_resize(&client->allocator, index->keys, index->capacity * sizeof *index->keys,
                                  capacity * sizeof *index->keys);
        index->values =
            base_resize(&client->allocator, index->values, index->capacity * sizeof *index->values,
                        capacity * sizeof *index->values);
        index->capacity = capacity;
    }
    uint32_t behind = index->count - slot;
    memmove(index->keys + slot + 1, index->keys + slot, behind * sizeof *index->keys);
    memmove(index->values + slot + 1, index->values + slot, behind * sizeof *index->values);
    index->keys[slot] = key;
    index->values[slot] = value;
    index->count++;
}

void *client_index_remove(struct client_index *index, uint64_t key)
{
    uint32_t slot = seek(index, key);
    if (slot == index->count || index->keys[slot] != key) {
        return NULL;
    }
    void *value = index->values[slot];
    uint32_t behind = index->count - slot - 1;
    memmove(index->keys + slot, index->keys + slot + 1, behind * sizeof *index->keys);
    memmove(index->values + slot, index->values + slot + 1, behind * sizeof *index->values);
    index->count--;
    return value;
}

void client_index_release(struct client *client, struct client_index *index)
{
    base_free(&client->allocator, index->keys, index->capacity * sizeof *index->keys);
    base_free(&client->allocator, index->values, index->capacity * sizeof *index->values);
    *index = (struct client_index){0};
}
