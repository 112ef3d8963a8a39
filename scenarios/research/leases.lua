-- Two kinds of leases. A leader that answers reads on the strength of its own (Ongaro 2014,
-- section 6.4.1) may be out of date once its clock runs slower than the others'; with
-- etcd's window even when it does not. And a client's lease lives at least its TTL and at
-- most as much longer as leaders have changed.

local E = 1*s

-- The leader hears nobody from just after a heartbeat on; what it still believes is asked
-- of it all the while, and the others go on without it.
experiment "stale reads from a leader's lease, by the drift of its clock" {
  source = "Ongaro 2014, section 6.4.1; etcd-io/raft issue 166",
  tags = { "lease", "clock" },
  grid = { drift = { 1, 1.1, 1.25, 1.5, 2 }, read = { "lease", "quorum" } },
  trials = 200,
  checks = { history = false, durability = false }, -- What they would find is counted here.
  tolerance = "exceeded",
  cluster = function(p) return { members = 3, heartbeat = 100*ms, election = E, read = p.read } end,
  run = function(c, p)
    c:await_healthy { within = 30*s }
    local old = c:leader()
    local there = c:client { endpoints = { old }, timeout = 10*s }
    local others = {}
    for _, m in ipairs(c:followers()) do others[#others + 1] = m end
    local elsewhere = c:client { endpoints = others }
    expect(elsewhere:put("k", "old"), "before")
    old:clock { drift = 1 / p.drift - 1 }
    sleep(random() * E)
    c:partition({ old, there }, { others[1], others[2], elsewhere })
    local written
    spawn(function()
      c:await_leader { other_than = old, within = 30 * E }
      if elsewhere:put("k", "new") then written = now() end
    end)
    local stale, stop = 0, now() + 4 * E * p.drift
    while now() < stop do
      local asked = now()
      local handle = there:async("get", "k")
      sleep(20*ms)
      if handle.done and handle.value == "old" and written and written < asked then stale = 1 end
    end
    record("stale", stale)
  end,
  figure = { kind = "line", x = "drift", y = "mean of stale", by = "read" },
  expect = {
    { where = { read = "quorum" }, stat = "max", of = "stale", max = 0 },
    -- A quorum is looked for once in E: a leader may stay for nearly 2 E after its last word
    -- from anybody, and the others elect another after E.
    { where = { read = "lease", drift = 1 }, stat = "mean", of = "stale", min = 0.05 },
    { where = { read = "lease", drift = 2 }, stat = "mean", of = "stale", min = 0.9 },
  },
}

local ttl = 5*s

-- The client falls silent and leaders change; each promotion begins the lease anew.
experiment "how long a lease outlives its last renewal, by changes of the leader" {
  source = "etcd's lessor: at a promotion a lease gets its TTL and an election timeout",
  tags = { "lease" },
  grid = { changes = { 0, 1, 2, 3 } },
  trials = 100,
  cluster = { members = 3, heartbeat = 100*ms, election = E },
  run = function(c, p)
    c:await_healthy { within = 30*s }
    local cli = c:client()
    local lease = cli:grant(ttl)
    expect(lease and cli:put("k", "v", { lease = lease }))
    expect(lease:keepalive())
    local renewed = now()
    for _ = 1, p.changes do
      sleep(random(0.5, 3.0))
      local other = choose(c:followers())
      expect(c:move_leader(other), "the leader changes")
    end
    eventually(function() return cli:get("k") == nil end, { within = 2*min, every = 10*ms })
    record("lifetime", now() - renewed)
  end,
  figure = { kind = "cdf", x = "lifetime", by = "changes" },
  expect = {
    { stat = "min", of = "lifetime", min = ttl },
    -- Half a second between two looks of the lessor, and a moment for the revocation.
    { where = { changes = 0 }, stat = "max", of = "lifetime", max = ttl + 0.6*s },
    { where = { changes = 1 }, stat = "max", of = "lifetime", max = ttl + 1 * (3.2*s + E) + 0.6*s },
    { where = { changes = 2 }, stat = "max", of = "lifetime", max = ttl + 2 * (3.2*s + E) + 0.6*s },
    { where = { changes = 3 }, stat = "max", of = "lifetime", max = ttl + 3 * (3.2*s + E) + 0.6*s },
  },
}
