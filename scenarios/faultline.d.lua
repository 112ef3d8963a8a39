---@meta
-- Written by `faultline help lua`; for the Lua language server.
-- luacheck: ignore

---@class faultline.scenario_options
---@field claims? table `claims = {}`: rows of the claims it proves
---@field tags? table `tags = {}`: words to choose scenarios by
---@field seeds? any `seeds = 100`: how many a campaign runs unless told
---@field cluster? table `cluster = {…}`: the members; also a function that answers the table
---@field network? table `network = {…}`: between all machines
---@field disk? table `disk = {…}`: of each member
---@field clock? table `clock = {…}`: of each machine
---@field cpu? table `cpu = {…}`: of each member
---@field tolerance? any `tolerance = nil`: "exceeded": more fails than is promised, progress is not judged; "lossy": synced data may be lost
---@field checks? table `checks = { lease = false, … }`: judges that say nothing, by their names
---@field arms? table `arms = {}`: judges and faults that must have had a part in a campaign
---@field shows? table `shows = {}`: a hazard: judges whose findings do not fail a run; a campaign without one fails
---@field measures? table `measures = {}`: metrics that its claims are told with
---@field note? any `note = nil`: where reality is subtler than the claim
---@field expect? table `expect = {{stat=, of=, …}}`: statistics of metrics, judged over all seeds
---@field limit? any `limit = 24*hour`: longest run, of simulated time
---@field run? fun(c: faultline.cluster, p: table?) `run = function(c) … end`: what happens

---@class faultline.experiment_options
---@field source? any `source = nil`: where the figure was published
---@field grid? table `grid = { name = {…}, … }`: every combination is run; run(c, p) and cluster(p) get one
---@field trials? any `trials = 100`: runs of each combination
---@field figure? table `figure = { kind=, x=, y=, by=, title=, log_x=, log_y= }`: how it is drawn

---@class faultline.expect_options
---@field stat? string `stat = "median"`: count min median mean p90 p99 max
---@field of? string `of = "name"`: the metric
---@field where? table `where = { name = value }`: only for these points of the grid
---@field near? any `near = x`: the value expected
---@field within? any `within = 0.1`: how far off it may be, as a fraction of near
---@field min? any `min = x`: not below
---@field max? any `max = x`: not above
---@field published? boolean `published = false`: near is somebody else's figure
---@field parts? any `parts = nil`: why ours is known to lie elsewhere: it is unmet only if it does not

---@class faultline.cluster_options
---@field members? any `members = 3`: voters at the start
---@field learners? any `learners = 0`: members without a vote, after the voters
---@field heartbeat? any `heartbeat = 100*ms`: how often a leader is heard of
---@field election? any `election = 1*s`: how long it is waited for
---@field tick? any `tick = heartbeat`: the unit that both are counted in
---@field election_spread? any `election_spread = election`: timeouts are whole ticks from [election, election + spread]
---@field pre_vote? boolean `pre_vote = true`: ask whether an election could be won before it is held
---@field check_quorum? boolean `check_quorum = true`: a leader that hears of no quorum steps down
---@field strict_timing? boolean `strict_timing = false`: etcd's rule: election at least 5 heartbeats
---@field snapshot_entries? any `snapshot_entries = 10000`: applied entries between two snapshots
---@field catchup_entries? any `catchup_entries = 5000`: entries kept behind a snapshot for slow followers
---@field max_inflight? any `max_inflight = 512`: messages with entries under way to a follower
---@field max_message? any `max_message = 1*MiB`: bytes of entries in one of them
---@field max_request? any `max_request = 1536*KiB`: bytes of one request, and of one part of a watch's batch
---@field segment? any `segment = 64*MiB`: a log file's size before the next is begun
---@field preallocate? any `preallocate = 0`: room taken on the disk ahead of the log, in such steps
---@field max_learners? any `max_learners = 1`: how many there may be at a time
---@field quota? any `quota = 2048*MiB`: size of the store at which writes are refused
---@field corrupt_check? any `corrupt_check = nil`: time between comparisons of the members' stores; nil: never
---@field progress_notify? any `progress_notify = 10*min`: time after which a watch with progress=true that was told nothing is told how far it is
---@field lease_checkpoint? boolean `lease_checkpoint = false`: what is left of leases is written to the log
---@field lease_fencing? boolean `lease_fencing = true`: false: etcd's own behaviour, with its known holes
---@field strict_reconfig? boolean `strict_reconfig = true`: changes of members that would risk the quorum are refused
---@field read? string `read = "quorum"`: or "lease", which is unsafe in a partition
---@field token? string `token = "cluster"`: tells clusters apart
---@field start? string `start = "bootstrap"`: or "none": nobody is started
---@field member? table `member = { [3] = {…} }`: options of one member

---@class faultline.network_options
---@field latency? table `latency = {0.5*ms, 2*ms}`: a duration, a range or a distribution
---@field loss? any `loss = 0`: fraction of datagrams lost; costs streams 200 ms
---@field duplicate? any `duplicate = 0`: fraction of datagrams that come twice
---@field reorder? any `reorder = 0`: fraction of datagrams that may overtake
---@field corrupt? any `corrupt = 0`: fraction of frames in which one to three bits flip
---@field bandwidth? any `bandwidth = nil`: bytes a second of each link; nil: no limit
---@field queue? any `queue = 4096`: frames under way on a link before more are lost (pieces of a snapshot wait)
---@field window? any `window = 64*KiB`: bytes under way to a client before its watches wait and catch up later, and to a member before the next piece of a snapshot waits

---@class faultline.disk_options
---@field write? any `write = 0`: how long a write takes
---@field sync? table `sync = {0.5*ms, 3*ms}`: how long a sync takes

---@class faultline.clock_options
---@field drift? any `drift = 0`: each machine's is drawn in ± this

---@class faultline.cpu_options
---@field message? any `message = 5*us`: what a message costs a member's processor
---@field entry? any `entry = 5*us`: an entry
---@field request? any `request = 20*us`: a client's request

---@class faultline.load_options
---@field clients? any `clients = 1`: machines that call
---@field rate? any `rate = nil`: requests a second in all, evenly spaced; nil: each waits for its answer
---@field mix? table `mix = { put = 1, get = 1 }`: weights of put get range delete txn watch lease lock
---@field keys? any `keys = 100`: how many there are
---@field pick? string `pick = "uniform"`: or "zipf" or "hot"
---@field value? any `value = 64`: bytes
---@field serializable? boolean `serializable = false`: reads ask one member only
---@field pinned? boolean `pinned = false`: client i calls endpoint i only
---@field timeout? any `timeout = 2*(5*s + 2*E)`: of each call
---@field endpoints? any `endpoints = all`: members that are called

---@class faultline.nemesis_options
---@field kinds? any `kinds = all`: crash power_off pause partition isolate cut stall disk slow clock
---@field every? any `every = uniform(1, 10)`: from one fault to the next
---@field during? any `during = d`: how long in all
---@field heal_after? any `heal_after = uniform(0.1, 5)`: how long each lasts

---@class faultline.at_options
---@field member? any `member = any`: a member or a list of them
---@field peer? any `peer = any`: of send and receive: the other end
---@field nth? any `nth = nil`: only the nth match of a member
---@field every? any `every = 1`: every so many matches of a member

---@class faultline.eventually_options
---@field within? any `within = 30*E`: when it must have come true
---@field every? any `every = 10*ms`: how often it is asked

---@class faultline.always_options
---@field during? any `during = d`: how long it must stay true
---@field every? any `every = 10*ms`: how often it is asked

---@class faultline.bootstrap_options
---@field token? any `token = cluster.token`: tells clusters apart
---@field discovery? any `discovery = nil`: members find each other under this token, at the machine named discovery
---@field size? any `size = cluster.members`: how many the discovery token is for; false: it was never set
---@field only? any `only = all`: start these; the others are known and not started
---@field member? table `member = { [3] = {…} }`: what one of them is told instead

---@class faultline.bootstrap_member_options
---@field token? any `token = nil`: its own cluster token
---@field discovery? any `discovery = nil`: its own discovery token
---@field name? string `name = "m3"`: what it calls itself
---@field url? string `url = "http://m3:2380"`: where it says it lives; several: "a,b"
---@field state? string `state = "new"`: or "existing": it joins
---@field peers? table `peers = {1, 2, 3}`: its initial cluster; also urls by name: { m1 = "http://m1:2380" }

---@class faultline.await_leader_options
---@field other_than? any `other_than = nil`: a member, or a list: none of these
---@field within? any `within = 30*E`: the scenario fails when it is over

---@class faultline.await_healthy_options
---@field within? any `within = 30*E`: the scenario fails when it is over

---@class faultline.await_applied_options
---@field on? any `on = all that live`: a member, or a list
---@field within? any `within = 30*E`: the scenario fails when it is over

---@class faultline.await_converged_options
---@field within? any `within = 30*E`: the scenario fails when it is over

---@class faultline.add_member_options
---@field learner? boolean `learner = false`: it has no vote until it is promoted
---@field on? any `on = nil`: a machine that is down and empty; nil: a new one
---@field start? boolean `start = true`: false: it is listed and does not run
---@field within? any `within = 30*E`: how long it is waited for

---@class faultline.change_members_options
---@field add? any `add = 0`: how many voters come, on new machines
---@field learners? any `learners = 0`: how many learners come
---@field remove? table `remove = {}`: who goes
---@field promote? table `promote = {}`: learners who become voters
---@field demote? table `demote = {}`: voters who become learners
---@field start? boolean `start = true`: false: who comes does not run
---@field within? any `within = 30*E`: how long they are waited for

---@class faultline.replace_member_options
---@field joint? boolean `joint = false`: both in one change

---@class faultline.restore_options
---@field members? any `members = cluster.members`: a list, or how many machines that are down (new ones when they are too few)
---@field token? any `token = new`: of the new cluster; nil: one never used before
---@field bump_revision? any `bump_revision = 0`: added to the store's revision
---@field mark_compacted? boolean `mark_compacted = false`: what is older than the new revision is compacted
---@field member? table `member = { [3] = {…} }`: what one of them is told instead
---@field within? any `within = 30*E`: how long a leader is waited for

---@class faultline.client_options
---@field endpoints? any `endpoints = all`: members it calls, in turn
---@field timeout? any `timeout = 2*(5*s + 2*E)`: of each call
---@field keepalive? any `keepalive = nil`: {every=, timeout=}: pings that find a dead connection

---@class faultline.keepalive_options
---@field every? any `every = d`: from one ping to the next
---@field timeout? any `timeout = d`: how long its answer is waited for

---@class faultline.put_options
---@field lease? any `lease = nil`: the key goes with it
---@field prev_kv? boolean `prev_kv = false`: answer the record before as well
---@field ignore_value? boolean `ignore_value = false`: the value stays as it is
---@field ignore_lease? boolean `ignore_lease = false`: the lease stays as it is

---@class faultline.get_options
---@field rev? any `rev = nil`: at this revision; nil: the newest
---@field serializable? boolean `serializable = false`: from one member, as old as it is

---@class faultline.range_options
---@field limit? any `limit = 0`: how many at most; 0: all
---@field rev? any `rev = nil`: at this revision; nil: the newest
---@field sort? string `sort = "key"`: or version create mod value; with - before it, from the end
---@field keys_only? boolean `keys_only = false`: without values
---@field count_only? boolean `count_only = false`: how many there are, and no more
---@field serializable? boolean `serializable = false`: from one member, as old as it is

---@class faultline.delete_options
---@field prev_kv? boolean `prev_kv = false`: answer the records before as well

---@class faultline.txn_options
---@field compare? table `compare = {}`: {key, "mod", "=", n} each, of version create mod value lease
---@field success? table `success = {}`: {"put", k, v} each, done when all compare
---@field failure? table `failure = {}`: done when they do not

---@class faultline.watch_options
---@field end? any `end = nil`: the end of a range of keys
---@field rev? any `rev = nil`: from this revision; nil: from now
---@field prev_kv? boolean `prev_kv = false`: events with the record before
---@field filter? any `filter = nil`: "noput" or "nodelete": what is not told
---@field progress? boolean `progress = false`: be told how far it is when nothing happens
---@field fragment? boolean `fragment = false`: large batches may come in parts

---@class faultline.lock_options
---@field lease? any `lease = nil`: held with this lease; nil: one of its own
---@field within? any `within = nil`: "timeout" when it is over; nil: wait as long as it takes

---@class faultline.member_restart_options
---@field image? any `image = nil`: from what m:image() answered: a stale directory

---@class faultline.member_stall_options
---@field timer? any `timer = d`: no ticks for so long, while the clock runs

---@class faultline.member_disk_options
---@field latency? any `latency = dist`: how long a write takes
---@field sync? any `sync = dist`: how long a sync takes
---@field full? any `full = nil`: bytes it holds
---@field misdirect? any `misdirect = 0`: fraction of writes that land elsewhere
---@field lie? boolean `lie = false`: a sync says it is done and is not
---@field error? table `error = {sync=, write=, read=}`: fraction of each that fails
---@field stall? any `stall = d`: nothing is finished for so long
---@field rot? any `rot = n`: so many bits flip, at once

---@class faultline.disk_error_options
---@field sync? any `sync = 0`: fraction of syncs that fail; what they were about may be lost
---@field write? any `write = 0`: fraction of writes that fail
---@field read? any `read = 0`: fraction of reads that fail

---@class faultline.member_clock_options
---@field drift? any `drift = 0`: how much too fast it runs: 0.1, -200*ppm
---@field freeze? any `freeze = d`: the oscillator stands still for so long
---@field skew? any `skew = d`: the wall clock is so far off
---@field jump? any `jump = d`: the wall clock jumps; back, if below 0

---@class faultline.cluster
---@field [integer] faultline.member
local cluster = {}

---`c:members()`: all members; c[i] is one, #c how many
---@return faultline.member[]
function cluster:members() end

---`c:leader()`: the live, unpaused leader whose term no live member exceeds, or nil
---@return faultline.member?
function cluster:leader() end

---`c:followers()`: live voters but the leader, by number
---@return faultline.member[]
function cluster:followers() end

---`c:minority()`: as many followers as may fail
---@return faultline.member[]
function cluster:minority() end

---`c:majority()`: all members that c:minority() leaves
---@return faultline.member[]
function cluster:majority() end

---`c:bootstrap{token=, discovery=, size=, only={…}, member={[3]={token=, peers=, name=, url=, state=, discovery=}}}`: start members that never ran or were wiped; peers is a list of members or a table of urls by name
---@param options? faultline.bootstrap_options
---@return any
function cluster:bootstrap(options) end

---`c:discovery()`: the discovery service; also "discovery" where a machine is wanted
---@return any
function cluster:discovery() end

---`c:start(m)`: start one member
---@return any
function cluster:start(m) end

---`c:await_leader{other_than=, within=}`: wait for a leader and answer it
---@param options? faultline.await_leader_options
---@return faultline.member
function cluster:await_leader(options) end

---`c:await_healthy{within=}`: wait until all live members follow one leader and serve reads
---@param options? faultline.await_healthy_options
---@return any
function cluster:await_healthy(options) end

---`c:await_applied(index, {on=, within=})`: wait until members have applied an index
---@param options? faultline.await_applied_options
---@return any
function cluster:await_applied(index, options) end

---`c:await_converged{within=}`: stop the loads and wait for equal stores on all live members
---@param options? faultline.await_converged_options
---@return any
function cluster:await_converged(options) end

---`c:partition({a, b}, {c, d, e})`: cut everything between groups
---@return any
function cluster:partition(options, options) end

---`c:isolate(m)`: cut a member off all others
---@return any
function cluster:isolate(m) end

---`c:cut(a, b)`: what a sends no longer reaches b
---@return any
function cluster:cut(a, b) end

---`c:link(a, b, {latency=, loss=, …})`: change one direction of one link
---@return any
function cluster:link(a, b, options) end

---`c:heal()`: end cuts and partitions
---@return any
function cluster:heal() end

---`c:network{latency=, loss=, …}`: change the network under way
---@param options? faultline.network_options
---@return any
function cluster:network(options) end

---`c:client{endpoints=, timeout=, keepalive=}`: a client on a machine of its own
---@param options? faultline.client_options
---@return faultline.client
function cluster:client(options) end

---`c:load{clients=, rate=, mix=, keys=, pick=, value=, endpoints=}`: clients that call all the time
---@param options? faultline.load_options
---@return faultline.load
function cluster:load(options) end

---`c:add_member{learner=, on=m, start=true, within=}`: a new member on a new machine (or an empty one), once it serves
---@param options? faultline.add_member_options
---@return faultline.member|false, table?
function cluster:add_member(options) end

---`c:promote(m)`: make a learner a voter
---@return any
function cluster:promote(m) end

---`c:remove_member(m)`: take a member out of the cluster
---@return any
function cluster:remove_member(m) end

---`c:replace_member(m, {joint=false})`: remove one, add another; joint: both in one change
---@param options? faultline.replace_member_options
---@return any
function cluster:replace_member(m, options) end

---`c:change_members{add=n, learners=n, remove={…}, promote={…}, demote={…}}`: several changes through a joint configuration: the new members
---@param options? faultline.change_members_options
---@return any
function cluster:change_members(options) end

---`c:update_member(m, url)`: tell the others where a member lives
---@return any
function cluster:update_member(m, url) end

---`c:move_leader(to)`: hand leadership over
---@return any
function cluster:move_leader(to) end

---`c:backup(m)`: a backup of a member's store
---@return any
function cluster:backup(m) end

---`c:restore(backup, {members=, token=, bump_revision=, mark_compacted=, member=, within=})`: a new cluster from a backup, in new directories: its members; members is a list, or how many (machines that are down, then new ones); member = {[3] = backup}: one who gets another by mistake
---@param options? faultline.restore_options
---@return any
function cluster:restore(backup, options) end

---`c:force_new_cluster(m)`: a cluster of one from a survivor that is down
---@return any
function cluster:force_new_cluster(m) end

---`c:lost()`: acknowledged revisions that no restored or forced cluster has
---@return any
function cluster:lost() end

---`c:nemesis{kinds={…}, every=dist, during=, heal_after=dist}`: random faults from the scenario's own stream
---@param options? faultline.nemesis_options
---@return any
function cluster:nemesis(options) end

---`c:lease_margin()`: the least time so far by which a lease outlived what it was promised, or nil
---@return any
function cluster:lease_margin() end

---`c:cost()`: what has been spent so far: time, operator_actions (commands, not faults), messages, bytes, entries, syncs
---@return any
function cluster:cost() end

---@class faultline.member
---@field id integer its number
---@field name string? its name
---@field member_id string? hex; nil before it has one
---@field cluster_id string? hex; nil before it has one
---@field role string? "leader" "follower" "candidate" "pre-candidate" "learner" "down"
---@field term integer its term
---@field vote faultline.member? whom it voted for in its term, or nil
---@field commit integer its commit index
---@field applied integer its applied index
---@field last_index integer of its log
---@field last_term integer of its log
---@field leader faultline.member? whom it follows, or nil
---@field alive boolean its process runs, or is paused
---@field paused boolean its process is stopped by m:pause()
---@field exit string? why its process ended, or nil
---@field now number its own clock, which never goes back
---@field wall number its wall clock, which skew and jump move
---@field revision integer of its store
---@field store_hash string? hex, of its store and leases
---@field disk_used integer bytes
---@field memory integer bytes
---@field requests_served integer of clients, since the run began
---@field connections integer of clients
local member = {}

---`m:term_at(i)`: the term of an entry of its log, or nil
---@return any
function member:term_at(i) end

---`m:crash()`: the process dies; its page cache survives
---@return any
function member:crash() end

---`m:power_off()`: the machine dies; what was not synced may be lost
---@return any
function member:power_off() end

---`m:restart{image=}`: start the process again
---@param options? faultline.member_restart_options
---@return any
function member:restart(options) end

---`m:stop()`: end the process gracefully
---@return any
function member:stop() end

---`m:pause()`: stop the process where it is
---@return any
function member:pause() end

---`m:resume()`: let it go on
---@return any
function member:resume() end

---`m:wipe()`: delete the data directory of a process that does not run
---@return any
function member:wipe() end

---`m:image()`: a copy of the data directory, for a stale restart
---@return any
function member:image() end

---`m:stall{timer=d}`: its ticks stop for so long, its clock runs
---@param options? faultline.member_stall_options
---@return any
function member:stall(options) end

---`m:slow(factor, stage)`: make its processor slower, or one stage alone: raft storage apply lessor reads
---@return any
function member:slow(factor, stage) end

---`m:disk{latency=, sync=, stall=, full=, error={…}, rot=, misdirect=, lie=}`: faults of its disk
---@param options? faultline.member_disk_options
---@return any
function member:disk(options) end

---`m:clock{drift=, freeze=, skew=, jump=}`: faults of its clock
---@param options? faultline.member_clock_options
---@return any
function member:clock(options) end

---@class faultline.client
---@field id integer the number of its machine
---@field now number its own clock
local client = {}

---`cli:pause()`: stop its process
---@return any
function client:pause() end

---`cli:resume()`: let it go on
---@return any
function client:resume() end

---`cli:disconnect()`: close its connections
---@return any
function client:disconnect() end

---`cli:clock{drift=, freeze=, skew=, jump=}`: faults of its clock
---@param options? faultline.member_clock_options
---@return any
function client:clock(options) end

---`cli:put(key, value, {lease=, prev_kv=, ignore_value=, ignore_lease=})`: revision; with prev_kv also the record before
---@param options? faultline.put_options
---@return any
function client:put(key, value, options) end

---`cli:get(key, {rev=, serializable=})`: value and record, or nil
---@param options? faultline.get_options
---@return any
function client:get(key, options) end

---`cli:range(key, end, {limit=, rev=, sort=, keys_only=, count_only=, serializable=})`: list of records with .count .more .revision
---@param options? faultline.range_options
---@return any
function client:range(key, end_, options) end

---`cli:delete(key, [end], {prev_kv=})`: revision and count; with prev_kv also the records before
---@param options? faultline.delete_options
---@return any
function client:delete(key, end_, options) end

---`cli:txn{compare={{key, "mod", "=", n, [end]}, …}, success={{"put", k, v}, …}, failure={…}}`: {succeeded=, revision=, results=}
---@param options? faultline.txn_options
---@return any
function client:txn(options) end

---`cli:compact(rev)`: revision
---@return any
function client:compact(rev) end

---`cli:watch(key, {end=, rev=, prev_kv=, filter=, fragment=, progress=})`: a watch
---@param options? faultline.watch_options
---@return faultline.watch
function client:watch(key, options) end

---`cli:grant(ttl)`: a lease, not kept alive until :auto(true)
---@return faultline.lease|false, table?
function client:grant(ttl) end

---`cli:lock(name, {lease=, within=})`: wait for a lock: {key=, revision=, lease=}; revision is the fencing token
---@param options? faultline.lock_options
---@return any
function client:lock(name, options) end

---`cli:unlock(lock)`: give it back
---@return any
function client:unlock(lock) end

---`cli:members()`: list of {id=, name=, url=, learner=}
---@return faultline.member[]
function client:members() end

---`cli:status(m)`: what one member says of itself
---@return any
function client:status(m) end

---`cli:leases()`: list of lease ids
---@return any
function client:leases() end

---`cli:alarms()`: list of {id=, alarm=}: who raised "no space" or "corrupt"
---@return any
function client:alarms() end

---`cli:disarm()`: clear all alarms: true
---@return any
function client:disarm() end

---`cli:async(name, …)`: make a call without waiting: a handle
---@return faultline.handle
function client:async(name, ...) end

---@class faultline.lease
---@field id integer its number
local lease = {}

---`lease:alive()`: may its client still believe in it, by the client's own clock?
---@return any
function lease:alive() end

---`lease:ttl()`: what is left of it; nil when it is gone
---@return any
function lease:ttl() end

---`lease:keepalive()`: renew it once: its TTL
---@return any
function lease:keepalive() end

---`lease:auto(on)`: keep it alive from now on, or no longer
---@return any
function lease:auto(on) end

---`lease:revoke()`: end it: true
---@return any
function lease:revoke() end

---@class faultline.watch
---@field revision integer of the store, as last told
local watch = {}

---`watch:next{within=}`: wait for the next event: {type=, key=, value=, prev=, …}
---@return any
function watch:next(options) end

---`watch:progress()`: ask how far it has seen everything: its revision moves when a notice comes
---@return any
function watch:progress() end

---`watch:cancel()`: end it
---@return any
function watch:cancel() end

---@class faultline.load
---@field offered integer calls made
---@field ok integer calls answered
---@field failed integer calls refused for sure
---@field unknown integer calls that may have happened
local load = {}

---`load:stop()`: make no more calls
---@return any
function load:stop() end

---`load:latency(q)`: the latency at a quantile, in seconds; nil without answers
---@return any
function load:latency(q) end

---@class faultline.handle
---@field done boolean is the call over?
---@field value any what it returned
---@field err any its error, or nil
local handle = {}

---`handle:await()`: wait until it is over, and return what it returned
---@return any
function handle:await() end

---@class faultline.backup
---@field revision integer of the store in it; nil of a damaged one, as all but size
---@field index integer of the last entry applied to it
---@field hash integer hex, of store and leases: m.store_hash there and then
---@field cluster_id string? hex, of the cluster it was taken from
---@field size integer bytes
local backup = {}

---`backup:truncate(n)`: lose all but its first n bytes; answers it
---@return any
function backup:truncate(n) end

---`backup:flip(offset)`: flip a bit of the byte there (from 0); answers it
---@return any
function backup:flip(offset) end

---`backup:copy()`: another one, to be damaged by itself
---@return any
function backup:copy() end

---`backup:data()`: its bytes; c:restore takes such a string as well
---@return any
function backup:data() end

---@class faultline.discovery
---@field alive boolean its process runs
local discovery = {}

---`discovery:crash()`: its process dies; what was registered stays
---@return any
function discovery:crash() end

---`discovery:restart()`: start it again
---@return any
function discovery:restart() end

---`discovery:pause()`: stop its process where it is
---@return any
function discovery:pause() end

---`discovery:resume()`: let it go on
---@return any
function discovery:resume() end

---`discovery:registered(token)`: how many are registered under a token
---@return any
function discovery:registered(token) end

---`scenario "name" { run = function(c) … end, … }`: a scenario of this file
---@return fun(options: faultline.scenario_options)
function scenario(name) end

---`experiment "name" { grid = {…}, trials = N, run = function(c, p) … end, … }`: runs over a grid of parameters, for figures
---@return fun(options: table)
function experiment(name) end

---a microsecond; durations are numbers of seconds
---@type number
us = 0

---a millisecond
---@type number
ms = 0

---a second
---@type number
s = 0

---a minute
---@type number
min = 0

---an hour
---@type number
hour = 0

---1024 bytes
---@type number
KiB = 0

---1024 KiB
---@type number
MiB = 0

---a millionth
---@type number
ppm = 0

---`now()`: true simulated time since the start
---@return number
function now() end

---`sleep(d)`: wait
function sleep(d) end

---`spawn(fn, …)`: run fn beside this; the run ends when all have returned
---@return any
function spawn(fn, ...) end

---`expect(cond, text)`: fail at once unless cond, showing the expression and the values in it
function expect(cond, text) end

---`eventually(fn, {within=30*E, every=10*ms})`: wait until fn() is true, fail when it is not in time
---@param options? faultline.eventually_options
---@return any
function eventually(fn, options) end

---`always(fn, {during=, every=10*ms})`: fail when fn() is not true for so long
---@param options? faultline.always_options
---@return any
function always(fn, options) end

---`sometimes(name, cond)`: must be true in at least one seed
---@return any
function sometimes(name, cond) end

---`record(name, number)`: a metric of this run
function record(name, number) end

---`note(text)`: a line in the trace
function note(text) end

---`print(…)`: a line in the trace, as Lua's print writes it
---@return any
function print(...) end

---`random(), random(n), random(a, b)`: a fraction in [0, 1); a whole number; between floats, a float
---@return any
function random(...) end

---`choose(list)`: one of a list
---@return any
function choose(list) end

---`shuffle(list)`: put a list in random order; answers it
---@return any
function shuffle(list) end

---`param(name, default)`: a value that --param name=value overrides
---@return any
function param(name, default) end

---`at(point, {member=, peer=, nth=, every=}, fn)`: run fn(member, event) at a point of a member's own work
---@param options? faultline.at_options
---@return any
function at(point, options, fn) end

---`when(fn, action)`: run action(m) whenever fn(m) becomes true
---@return any
function when(fn, action) end

---`uniform(a, b)`: a distribution of durations: any in [a, b], as is {a, b}
---@return any
function uniform(a, b) end

---`normal(mean, deviation)`: a distribution of durations
---@return any
function normal(mean, deviation) end

---`lognormal(median, sigma)`: a distribution of durations
---@return any
function lognormal(median, sigma) end

---`exponential(mean)`: a distribution of durations
---@return any
function exponential(mean) end

---`pareto(min, alpha)`: a distribution of durations
---@return any
function pareto(min, alpha) end

---`constant(x)`: always the same duration
---@return any
function constant(x) end

---`empirical{…}`: durations as they were measured
---@return any
function empirical(options) end
