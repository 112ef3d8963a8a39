/* The inside of a world, shared by the files that are its parts. Scripts, judges and
 * campaigns see sim/world.h instead. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_INSIDE_H
#define SIM_INSIDE_H

#include "core/client/client.h"
#include "core/member/member.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/heap.h"
#include "sim/hold.h"
#include "sim/load.h"
#include "sim/point.h"
#include "sim/pool.h"
#include "sim/queue.h"
#include "sim/stage.h"
#include "sim/world.h"

enum sim_item_kind {
    SIM_ITEM_FRAME, /* data: struct sim_frame, arrives at `machine` */
    SIM_ITEM_TICK,  /* the tick timer of `machine` */
    SIM_ITEM_DUE,   /* its other timer */
    SIM_ITEM_CPU,   /* its processor is free again */
    SIM_ITEM_DISK,  /* its disk may have finished something */
    SIM_ITEM_TIMER, /* data: struct sim_timer of a script or a load */
    SIM_ITEM_STAGE  /* a slow stage of `machine` may take its next turn */
};

/* What travels: one block of the pool, the message flattened behind it. */
struct sim_frame {
    struct sim_frame *next; /* In an inbox or outbox. */
    uint32_t size_bytes;    /* Of the block. */
    uint32_t from;
    uint32_t to;
    uint32_t cuts;                /* The link's count of cuts when it left. */
    uint64_t connection;          /* A client's, else 0. */
    bool is_reset;                /* The connection is gone, or the peer's process is. */
    bool is_datagram;             /* Raft's own: may be lost, doubled, overtaken. */
    bool is_corrupt;              /* Bits flipped under way, and the checksum says so. */
    bool is_waiting;              /* Counted among those its link has under way, */
    bool is_windowed;             /* and its bytes in its link's window. */
    struct wire_message *message; /* NULL for a reset. */
};

/* One direction between two machines. */
struct sim_link {
    uint64_t last_arrival_ns;
    uint32_t cuts; /* How often it was cut: what left before the last cut is lost. */
    bool is_cut;
    uint8_t options;      /* 0: the network's; else a slot of world->links. */
    uint32_t waiting;     /* Frames sent that the receiver has not taken yet. */
    uint64_t window;      /* Bytes of a client's streams, from the outbox to the receiver. */
    uint64_t free_ns;     /* When what was sent before is through, where bandwidth is short. */
    uint64_t stream;      /* A client's: the connection it opened last over this link, */
    uint32_t stream_cuts; /* and how often either direction had been cut by then. */
};

enum sim_work_kind { SIM_WORK_FRAME, SIM_WORK_TICK, SIM_WORK_DUE, SIM_WORK_DISK, SIM_WORK_STAGE };

/* Something the processor of a machine has to do. */
struct sim_work {
    enum sim_work_kind kind;
    uint32_t value;   /* A stage, or a disk's status. */
    bool is_released; /* A slow stage has let it go. */
    uint64_t token;
    struct sim_frame *frame;
};

struct sim_connection {
    uint32_t client;
    uint64_t number;
};

/* A soft timer: one pending event at most is the right one; it looks again when it
 * comes and is never cancelled. */
struct sim_soft_timer {
    uint64_t due_ns;   /* True time; UINT64_MAX never. */
    uint64_t event_ns; /* The event that counts; UINT64_MAX none. */
};

struct sim_peer {
    raft_id id;
    uint32_t number;
};

/* A call of a client that is under way. */
struct sim_call {
    uint64_t call;   /* The client's number, */
    uint64_t number; /* and the world's. */
    sim_call_done done;
    void *context;
    struct wire_message *request;
    uint32_t request_bytes;
};

struct sim_watcher {
    uint64_t watch;
    sim_watch_batch batch;
    void *context;
};

struct sim_locker {
    uint64_t lock;
    sim_lock_done done;
    void *context;
};

/* A call that was answered, until the client's step is over. */
struct sim_completion {
    struct sim_completion *next;
    uint32_t size_bytes;
    uint32_t machine;
    bool is_unknown;
    uint64_t call; /* 0: a batch of `watch`, or the end of waiting for `lock`. */
    uint64_t watch;
    uint64_t lock;
    struct wire_message *message;
};

/* How a process ends that was killed in the middle of its own step: when the step is
 * over, and nothing that it did after the blow has happened. */
enum sim_doom { SIM_DOOM_NONE, SIM_DOOM_CRASH, SIM_DOOM_POWER_OFF };

enum { SIM_UNSYNCED_FILES = 16, SIM_ASKED_MAX = 32 };

/* An operation asked of the disk, for the point after it. */
struct sim_asked {
    uint64_t token;
    uint64_t kinds;
    enum sim_point_verb verb;
    bool is_open;
};

struct sim_machine {
    struct sim_machine *next; /* Among the spare ones. */
    struct sim_world *world;
    uint32_t number;
    bool is_client;
    bool is_alive; /* The process runs, or is paused. */
    bool is_paused;
    bool is_powered;
    bool has_started;                  /* Ever. */
    bool is_stopping;                  /* It said stop in this step. */
    bool is_leaving;                   /* The operator asked it to. */
    const struct sim_restore *restore; /* While it is started from a backup. */
    bool is_forced;                    /* While it is started as the only one. */
    bool is_booting;                   /* It has not said yet who it is. */
    uint64_t asked_number;             /* Its last question, */
    uint32_t asked_whom;               /* and whom. */
    bool heals;                        /* Comes back when the world heals. */
    uint32_t life;                     /* Incarnation, from 1. */
    char name[16];
    char exit[256];
    struct sim_cluster_options options;
    struct sim_boot boot;

    struct sim_clock clock;
    struct sim_random random_raft;
    struct sim_random random_network;
    struct sim_random random_corrupt;
    struct sim_random random_schedule;
    struct sim_random random_disk;
    struct sim_random random_power;

    /* The processor. */
    uint64_t busy_until_ns;
    uint64_t cpu_event_ns;     /* UINT64_MAX: none under way. */
    uint32_t slow_thousandths; /* SIM_USUAL_PACE unless slowed. */
    uint32_t slow_stages;      /* Bits of those with a pace of their own, */
    uint32_t busy_stages;      /* and of those that may have something waiting. */
    struct sim_stage stages[HOST_STAGE_COUNT];
    struct sim_work *work;
    uint32_t work_first, work_count, work_capacity;
    struct sim_frame *outbox, **outbox_end;
    uint32_t woken; /* Bits of stages in `work`. */

    /* Ticks, on the monotonic clock. */
    uint64_t tick_ns;
    uint64_t tick_base_ns; /* Local instant of tick 0. */
    uint64_t ticks_told;
    uint64_t tick_due;           /* Number of the tick the member wants next. */
    uint64_t tick_next_local_ns; /* Local instant of tick ticks_told + 1. */
    uint64_t stalled_until_ns;   /* True; 0: not stalled. */
    uint64_t stalled_local_ns;   /* Local instants at which a stall or a pause began. */
    uint64_t paused_local_ns;
    uint32_t work_before_tick; /* After a gap: so much of what waits comes before the tick. */
    struct sim_soft_timer tick_timer;
    struct sim_soft_timer due_timer;

    struct sim_disk *disk;
    struct sim_disk_host disk_host;
    struct disk_tag *survivors; /* Unsynced and whole after a power loss, until the restart. */
    uint32_t survivor_count, survivor_capacity;
    struct disk platter;                   /* The disk as the member gets it. */
    uint64_t unsynced[SIM_UNSYNCED_FILES]; /* Kinds written and not synced, by file. */
    struct sim_asked asked[SIM_ASKED_MAX];
    uint32_t asked_next;
    enum sim_station station; /* While it lives: its role, as others see it. */
    bool is_learner;
    bool is_wiped;  /* Nothing is on its disk since it ran last. */
    bool is_harmed; /* Faults beyond a power loss were done to its disk. */
    bool is_in_step;
    enum sim_doom doom;
    struct sim_heap *heap;
    struct host host;
    struct host_observer observer;
    struct member *member;
    uint64_t member_id;
    uint64_t cluster_id;
    struct sim_peer peers[SIM_MEMBERS_MAX];
    uint32_t peer_count;
    struct sim_connection *connections;
    uint32_t connection_count, connection_capacity;
    struct member_status last; /* As it was when it went down. */
    uint64_t last_hash;
    uint64_t served;

    /* A client's. */
    struct client *client;
    struct client_host client_host;
    uint32_t endpoints[SIM_MEMBERS_MAX];
    uint32_t endpoint_count;
    struct sim_call *calls;
    uint32_t call_count, call_capacity;
    struct sim_watcher *watchers;
    uint32_t watcher_count, watcher_capacity;
    uint64_t watch_number;
    struct sim_locker *lockers;
    uint32_t locker_count, locker_capacity;

    struct kv *registry; /* The discovery service's store; nobody else has one. */

    struct sim_link *out; /* To each member, by number. */
    struct sim_link *in;  /* A client's: from each member. */
};

struct sim_timer {
    struct sim_timer *next; /* Free list. */
    uint64_t number;        /* 0: cancelled or free. */
    void (*fire)(void *context);
    void *context;
};

struct sim_id {
    uint64_t id;
    uint32_t number;
};

struct sim_world {
    struct sim_options options;
    uint64_t seed;
    uint64_t now_ns;
    struct sim_queue *queue;
    struct sim_pool *pool;
    struct sim_recorder recorder;
    struct check *check;
    struct sim_random random;
    bool has_changed;
    uint64_t event_count;
    struct sim_cost cost;
    struct sim_coverage coverage;

    struct sim_machine **machines; /* By number; NULL beyond the members, up to the clients. */
    uint32_t machine_capacity;
    uint32_t machine_count; /* Highest number. */
    uint32_t member_count;
    struct sim_machine *spare;          /* Memory of earlier seeds' machines, by kind. */
    struct sim_link_options links[255]; /* From 1: options of single links. */
    uint32_t link_count;
    struct sim_id *ids; /* Member ids ever seen, for printing and judging. */
    uint32_t id_count, id_capacity;

    struct sim_timer **timers; /* Blocks, for freeing. */
    uint32_t timer_block_count;
    struct sim_timer *timer_free;
    uint64_t timer_number;
    struct sim_completion *completions, **completions_end;
    struct sim_heap *client_heap;
    uint64_t call_number;
    struct sim_load *loads;
    uint32_t registry; /* The machine of the discovery service; 0: there is none. */

    uint64_t *led; /* Clusters that have had a leader, the newest last. */
    uint32_t led_count, led_capacity;
    struct sim_hold *holds; /* Of locks; their memory is scripts' and loads'. */

    struct sim_disk_image **images; /* Numbered from 1. */
    uint32_t image_count;
    sim_point_reached reach; /* NULL: nobody waits at a point. */
    void *reach_context;

    /* Healing and settling. */
    bool is_healed;
    bool is_settled;
    uint64_t settle_deadline_ns;
    uint64_t settle_applied; /* Sum of applied indexes, to see who catches up. */
    uint64_t settle_look_ns;
    uint32_t prober;
    uint32_t probe_state;  /* 0 none under way, 1 under way, 2 answered. */
    bool is_out_of_space;  /* The quota refused the first probe. */
    bool is_reconfigured;  /* Somebody asked for a change of the membership. */
    bool has_probed_write; /* The first probe was answered, */
    bool has_asked_write;  /* The first of each was asked, */
    bool has_asked_change; /* and the second one made. */
    char text[256];        /* Of a refusal. */
};

/* world.c */
struct sim_machine *sim_machine_at(const struct sim_world *world, uint32_t number);
struct sim_machine *sim_machine_add(struct sim_world *world, bool is_client);
void sim_emit(struct sim_world *world, enum sim_event_kind kind, uint32_t machine, const uint64_t *fields);
void sim_emit_text(struct sim_world *world, enum sim_event_kind kind, uint32_t machine,
                   const uint64_t *fields, struct base_bytes text);
void sim_announce(struct sim_world *world);
/* Count a fault of the machine. */
void sim_cover(struct sim_machine *machine, enum sim_fault fault);
enum sim_station sim_station_of(const struct sim_machine *machine);
void sim_push(struct sim_world *world, uint64_t time_ns, enum sim_item_kind kind, uint32_t machine,
              void *data, uint64_t value);
uint32_t sim_number_of(const struct sim_world *world, uint64_t member_id);
void sim_learn_id(struct sim_world *world, uint64_t member_id, uint32_t number);

/* machine.c: the process and its processor */
void sim_machine_input(struct sim_machine *machine, const struct sim_work *work);
void sim_machine_cpu(struct sim_machine *machine);
void sim_machine_stage(struct sim_machine *machine);
void sim_machine_timer(struct sim_machine *machine, enum sim_item_kind kind);
void sim_machine_arrive(struct sim_machine *machine, struct sim_frame *frame);
/* Put work behind what waits, for when the step under way is over. */
void sim_machine_later(struct sim_machine *machine, const struct sim_work *work);
/* Forget everything that waits for the processor. */
void sim_machine_drop_work(struct sim_machine *machine);
/* The process ends: its heap goes, its peers and clients see resets unless silent. */
void sim_machine_end(struct sim_machine *machine, const char *exit, bool is_silent);
/* After a step: carry out what it recorded, charge the processor. */
void sim_machine_begin(struct sim_machine *machine);
void sim_timer_set(struct sim_machine *machine, struct sim_soft_timer *timer, enum sim_item_kind kind,
                   uint64_t due_ns);
uint64_t sim_machine_now(const struct sim_machine *machine);

/* host.c: the tables a member is given */
void sim_host_init(struct sim_machine *machine);

/* A member leads: a cluster that never had a leader is what the world is about from
 * here on. */
void sim_host_led(struct sim_world *world, uint64_t cluster_id);

/* platter.c */
void sim_platter_init(struct sim_machine *machine);
/* The point after an operation: its answer is about to be told. */
void sim_platter_done(struct sim_machine *machine, uint64_t token);

/* operate.c */
/* Where a member is to be found: "http://m3:2380". */
void sim_member_url(uint32_t number, char out[32]);
/* Whoever was killed in its own step dies now. */
void sim_machine_execute(struct sim_machine *machine);
/* The timer's stall is over: what ticked meanwhile is lost but for one. */
void sim_machine_unstall(struct sim_machine *machine);

/* network.c */
void sim_network_send(struct sim_world *world, struct sim_frame *frame);
struct sim_frame *sim_frame_new(struct sim_world *world, uint32_t from, uint32_t to, uint64_t connection,
                                const struct wire_message *message);
void sim_frame_free(struct sim_world *world, struct sim_frame *frame);
/* Count its bytes as under way, from now until it is freed. */
void sim_frame_window(struct sim_world *world, struct sim_frame *frame);
/* Is as much under way to this client as a window holds? */
bool sim_stream_is_full(const struct sim_world *world, uint32_t from, uint32_t to);
void sim_network_reset(struct sim_world *world, uint32_t from, uint32_t to, uint64_t connection);
struct sim_link *sim_link_of(const struct sim_world *world, uint32_t from, uint32_t to);
/* Has the link been cut since this frame left? */
bool sim_frame_is_lost(const struct sim_world *world, const struct sim_frame *frame);
/* What a frame that has arrived does to its stream. Answers whether the machine still
 * gets it: as it is, or as the news that the stream is broken. */
bool sim_stream_arrive(struct sim_world *world, struct sim_frame *frame);
void sim_network_heal(struct sim_world *world);
/* When the last of what members have under way to each other arrives: a link keeps its
 * order, so all that is sent before waits for it. */
uint64_t sim_network_backlog_ns(const struct sim_world *world);

/* caller.c: client machines */
void sim_client_arrive(struct sim_machine *machine, const struct sim_frame *frame);
void sim_client_due(struct sim_machine *machine);
void sim_client_drop(struct sim_machine *machine);
/* Tell callers of what was answered in the step that is over. */
void sim_completions_run(struct sim_world *world);

/* disaster.c */
void sim_disaster_configure(const struct sim_machine *machine, struct member_config *config);
void sim_disaster_started(const struct sim_machine *machine);

/* registry.c: the discovery service */
#define SIM_REGISTRY_URL "http://discovery:2379"
void sim_registry_arrive(struct sim_machine *machine, const struct sim_frame *frame);

/* load.c */
void sim_loads_drop(struct sim_world *world);

#endif
