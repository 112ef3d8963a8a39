-- Every name, option and default of the scenario language, used once. What it says is
-- checked elsewhere in depth; here nothing may be missing, misnamed or refused.

scenario "language: keys, units, chance and waits" {
  claims = { "leader.elected" }, tags = { "language" }, seeds = 3, limit = 1*hour,
  tolerance = "exceeded", checks = { lease = false }, arms = { "election", "crash" },
  expect = {
    { stat = "median", of = "x", near = 1, within = 0.1 },
    { stat = "max", of = "x", min = 0, max = 2, published = true },
    { stat = "count", of = "x", min = 1 }, { stat = "mean", of = "x", max = 1 }, { stat = "p90", of = "x", max = 1 },
    { stat = "p99", of = "x", max = 1 }, { stat = "min", of = "x", min = 1 },
  },
  cluster = {
    members = 3, learners = 0, heartbeat = 100*ms, election = 1*s, tick = 100*ms, election_spread = 1*s,
    pre_vote = true, check_quorum = true, strict_timing = false, snapshot_entries = 10000, catchup_entries = 5000,
    max_inflight = 512, max_message = 1*MiB, max_request = 1536*KiB, segment = 64*MiB, quota = 2048*MiB,
    lease_checkpoint = false, lease_fencing = true, strict_reconfig = true, read = "quorum", token = "cluster",
    start = "bootstrap",
    member = { [3] = { heartbeat = 50*ms, tick = 50*ms, snapshot_entries = 10 } },
  },
  network = {
    latency = { 0.5*ms, 2*ms }, loss = 0, duplicate = 0, reorder = 0, corrupt = 0, bandwidth = nil, queue = 4096,
    window = 64*KiB,
  },
  disk = { write = constant(0), sync = { 0.5*ms, 3*ms } },
  clock = { drift = 200*ppm },
  cpu = { message = 5*us, entry = 5*us, request = 20*us },
  run = function(c)
    record("x", 1)
    expect(1000*us == 1*ms and 1000*ms == 1*s and 60*s == 1*min and 60*min == 1*hour and 1024*KiB == 1*MiB)
    local start = now()
    sleep(3*s)
    expect(now() - start == 3*s, "sleeping takes exactly its time")
    local sum
    spawn(function(a, b)
      sleep(1)
      sum = a + b
    end, 1, 2)
    eventually(function() return sum == 3 end, { within = 2*s, every = 10*ms })
    eventually(function() return true end)
    always(function() return sum == 3 end, { during = 1*s, every = 10*ms })
    sometimes("this", true)
    note("a line")
    print("another", 1, nil)
    for _ = 1, 100 do
      local fraction, die, between, real = random(), random(6), random(2, 4), random(0.5, 0.6)
      expect(fraction >= 0 and fraction < 1 and die >= 1 and die <= 6)
      expect(between >= 2 and between <= 4 and real >= 0.5 and real <= 0.6)
      expect(math.random(3) <= 3 and math.random(2, 3) >= 2 and math.random() < 1)
    end
    expect(choose { 7 } == 7 and #shuffle { 1, 2, 3 } == 3 and param("p", 5) == 5)
    for _, delay in ipairs { uniform(1*ms, 2*ms), normal(1*ms, 0.1*ms), lognormal(1*ms, 0.5), exponential(1*ms),
      pareto(1*ms, 1.5), constant(1*ms), empirical { 1*ms, 2*ms, 5*ms }, { 1*ms, 2*ms }, 3*ms } do
      c:network { latency = delay }
      sleep(100*ms)
    end
    local keys = {}
    for key in pairs { b = 1, a = 2, [3] = 1, [1] = 1, [true] = 1, [c[1]] = 1 } do keys[#keys + 1] = tostring(key) end
    expect(table.concat(keys, " ") == "1 3 a b true m1", "pairs goes in order")
    expect(next { z = 1, y = 2 } == "y")
    expect(tostring({}) == "table" and string.format("%p", {}) == "table", "no address is printed")
    c[1]:crash()
  end,
}

scenario "language: points and triggers" {
  tags = { "language" }, seeds = 3,
  cluster = { members = 3, snapshot_entries = 20, catchup_entries = 5, start = "none" },
  run = function(c)
    local counts, names = {}, {
      "before:append Entry", "after:append Entry", "append HardState", "append Metadata", "append Snapshot",
      "before:sync Entry", "after:sync", "before:read", "after:rename snap", "syncdir", "send MsgVoteResp",
      "receive MsgApp", "before:send MsgHeartbeat", "after:receive MsgHeartbeat", "before:apply", "apply Put",
      "apply Delete", "after:apply Txn", "apply Compact", "apply Grant", "apply Revoke", "apply ConfChange",
      "apply Empty", "role:leader", "role:follower", "role:candidate", "role:pre-candidate", "promote", "commit",
      "snapshot", "bootstrap:raft",
    }
    for _, name in ipairs(names) do
      at(name, function(m, event)
        expect(m.id >= 1 and event.term >= 0 and event.index >= 0)
        counts[name] = (counts[name] or 0) + 1
      end)
    end
    local tenth, led = 0, 0
    at("send MsgApp", { member = { 1, 2 }, peer = c[3], every = 10 }, function(_, event)
      expect(event.peer == c[3])
      tenth = tenth + 1
    end)
    when(function(m) return m.role == "leader" end, function() led = led + 1 end)
    c:bootstrap { only = { 1, 2 } }
    sleep(1*s)
    c:start(3)
    local leader = c:await_leader { within = 30*s }
    local cli = c:client()
    for i = 1, 60 do cli:put("k", i) end
    local lease = cli:grant(5)
    lease:revoke()
    cli:delete("k")
    cli:txn { success = { { "put", "a", "b" } } }
    cli:compact(5)
    leader:crash()
    c:await_leader { other_than = leader, within = 10*s }
    leader:restart()
    c:await_converged { within = 60*s }
    for _, name in ipairs(names) do expect(counts[name], name .. " was reached") end
    expect(led >= 2, "when fires at each change")
    sometimes("every tenth", tenth > 0)
  end,
}

scenario "language: members, machines and the network" {
  tags = { "language" }, seeds = 3,
  cluster = { members = 5 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    c:await_healthy { within = 10*s }
    expect(#c == 5 and #c:members() == 5 and #c:followers() == 4 and #c:minority() == 2 and #c:majority() == 3)
    expect(c:leader() == leader and c[leader.id] == leader and leader.name == "m" .. leader.id)
    for _, field in ipairs { "id", "term", "commit", "applied", "last_index", "last_term", "revision", "disk_used",
      "memory", "requests_served", "connections", "now", "wall" } do
      expect(type(leader[field]) == "number", field)
    end
    expect(leader.alive and not leader.paused and leader.exit == nil and leader.leader == leader)
    expect(#leader.member_id == 16 and #leader.cluster_id == 16 and #leader.store_hash == 16)
    expect(leader:term_at(leader.last_index) == leader.last_term)

    local m = c:followers()[1]
    m:crash()
    expect(m.exit == "crashed" and m.role == "down")
    m:restart()
    m:power_off()
    expect(m.exit == "powered off")
    m:restart()
    m:stop()
    eventually(function() return m.exit == "stopped" end, { within = 10*s })
    m:restart()
    m:pause()
    expect(m.paused)
    m:resume()
    local image = m:image()
    m:crash()
    m:restart { image = image }
    m:stall { timer = 1*s }
    m:slow(10)
    m:slow(10, "apply")
    m:slow(1, "apply")
    m:slow(1)
    m:disk { latency = 1*ms, sync = { 1*ms, 2*ms }, stall = 100*ms, full = 64*MiB,
      error = { sync = 0*ppm, write = 0, read = 0 }, rot = 0, misdirect = 0*ppm, lie = false }
    m:clock { drift = 100*ppm }
    m:clock { freeze = 100*ms }
    local wall = m.wall
    m:clock { skew = 50*s }
    m:clock { jump = -5*s }
    expect(m.wall - m.now > 44*s and m.wall - m.now < 46*s and wall, "skew is set, a jump adds to it")
    c:await_applied(leader.commit, { within = 20*s })
    c:await_applied(leader.commit, { on = { 1, "m2", c[3] }, within = 20*s })

    local cli = c:client { endpoints = { 1, c[2], "m3" }, timeout = 5*s, keepalive = { every = 1*s, timeout = 1*s } }
    c:partition({ 1, 2 }, { 3, 4, 5 })
    c:partition({ "m1", cli }, { c[2], 3 })
    c:isolate(1)
    c:cut(1, 2)
    c:link(1, 2, { latency = 1*ms, loss = 0.1 })
    c:network { duplicate = 0.01 }
    c:heal()
    cli:pause()
    cli:resume()
    cli:disconnect()
    cli:clock { drift = 0.01 }
    expect(cli.id > 5 and cli.now >= 0)
    for _, key in ipairs { "time", "operator_actions", "messages", "bytes", "entries", "syncs" } do
      expect(c:cost()[key] > 0, key)
    end
    c:await_leader { within = 20*s }
    c:move_leader(c:followers()[1])
    c:nemesis { kinds = { "crash", "pause" }, every = exponential(1*s), during = 5*s, heal_after = uniform(0.1, 1) }
    c:nemesis { during = 5*s }
    sleep(8*s)
  end,
}

scenario "language: what clients say" {
  tags = { "language" }, seeds = 3,
  cluster = { members = 3 },
  run = function(c)
    c:await_healthy { within = 10*s }
    local cli = c:client()
    local revision = cli:put("a", "1")
    local _, before = cli:put("a", "2", { prev_kv = true })
    expect(before.value == "1" and before.mod_revision == revision)
    cli:put("a", "x", { ignore_lease = true })
    cli:put("a", "", { ignore_value = true })
    local value, kv = cli:get("a")
    expect(value == "x" and kv.version == 4 and kv.lease == 0 and kv.create_revision == revision)
    expect(cli:get("a", { rev = revision }) == "1" and cli:get("none") == nil)
    cli:get("a", { serializable = true })
    local list = cli:range("a", "z", { limit = 1, rev = 0, sort = "-mod", keys_only = true, count_only = false })
    expect(#list == 1 and list.count == 1 and not list.more and list.revision > 0)
    local watch = cli:watch("a", { ["end"] = "b", rev = 1, prev_kv = true, filter = "noput", fragment = true })
    local _, count = cli:delete("a", { prev_kv = true })
    expect(count == 1)
    local event = watch:next { within = 5*s }
    expect(event.type == "delete" and event.key == "a" and event.prev.value == "x" and watch.revision > 0)
    local nothing, err = watch:next { within = 1*s }
    expect(nothing == false and err.code == "timeout")
    watch:cancel()
    local done = cli:txn { compare = { { "k", "create", "=", 0 } }, success = { { "put", "k", "v" } }, failure = {} }
    expect(done.succeeded and done.revision and #done.results == 1)
    local lease = cli:grant(5)
    expect(lease.id and lease:alive() and lease:ttl() <= 5)
    lease:auto(true)
    sleep(8*s)
    expect(lease:alive() and lease:keepalive() == 5 and #cli:leases() == 1)
    lease:auto(false)
    expect(lease:revoke() and not lease:alive() and lease:ttl() == nil)
    local lock = cli:lock("L", { lease = cli:grant(5) })
    expect(lock.key and lock.revision > 0)
    cli:unlock(lock)
    expect(#cli:members() == 3 and cli:members()[1].name and cli:status(1).revision > 0)
    local call = cli:async("put", "q", "1")
    expect(not call.done and call:await() and call.done and call.value and call.err == nil)
    local load = c:load { clients = 2, rate = 50, keys = 10, pick = "zipf", value = 64, endpoints = { 1, 2 },
      mix = { put = 1, get = 1, range = 1, delete = 1, txn = 1, watch = 1, lease = 1, lock = 1 } }
    sleep(5*s)
    load:stop()
    expect(load.offered > 0 and load.ok > 0 and load.failed >= 0 and load.unknown >= 0 and load:latency(0.5) > 0)
    expect(cli:compact(cli:put("k", "w")))
    local no, why = cli:get("k", { rev = 1 })
    expect(no == false and why.code == "compacted" and not why.unknown)
  end,
}

experiment "language: an experiment" {
  source = "nobody, nowhere", trials = 2,
  grid = { spread = { 0, 1 }, members = { 3, 5 } },
  cluster = function(p) return { members = p.members, election_spread = p.spread*s } end,
  network = { latency = 1*ms },
  run = function(_, p) record("t", p.spread) end,
  figure = { kind = "cdf", x = "t", by = "spread", title = "t", log_x = true, log_y = false },
  expect = { { where = { spread = 1 }, stat = "median", of = "t", near = 1, within = 0.1, published = true } },
}
