-- Raft where it is thinnest: young leaders with tails that nobody else has, messages
-- that are lost, doubled and late by more than an election, logs cut down to a few
-- entries. Every seed draws its options; within what is promised, so that safety and,
-- when it heals, progress are both demanded.

local us_all = { 1, 2, 3, 4, 5 }

-- One of a list by a fixed number of draws, so that options stay apart.
local function pick(list) return list[random(#list)] end

-- Writes that go to one member alone, and need not come back.
local function lonely_writes(c, m, count)
  local cli = c:client { endpoints = { m }, timeout = 3*s }
  for i = 1, count do cli:async("put", "k" .. random(10), m.id .. " alone " .. i) end
end

-- Leader after leader is cut off with writes of its own, some crash with them, others
-- come back before their tail was replaced: logs part, grow and are cut. What only
-- the longest log has, or only the latest term, must not win by itself.
local function tails(c, rounds)
  for round = 1, rounds do
    local old = c:leader() or c[random(#c)]
    local how = random(5)
    if old.alive then
      if how <= 3 then c:isolate(old) end
      lonely_writes(c, old, random(1, 12))
      sleep(random() * 300*ms)
      if how >= 3 then old:crash() end
    end
    sleep(0.3*s + random() * 2.5*s)
    local new = c:leader()
    if new and random(2) == 1 then
      -- The next one gets no further: it has appended, and perhaps told one more.
      c:isolate(new)
      lonely_writes(c, new, random(1, 3))
      sleep(random() * 400*ms)
    end
    c:heal()
    for _, m in ipairs(c:members()) do
      if not m.alive and random(3) > 1 then m:restart() end
    end
    sleep(random() * 1.5*s)
  end
  c:heal()
  for _, m in ipairs(c:members()) do
    if not m.alive then m:restart() end
  end
end

for _, n in ipairs { 3, 4, 5 } do
  scenario("raft: leaders are cut off with tails of their own, n=" .. n) {
    tags = { "raft", "tails" }, seeds = 40,
    cluster = { members = n, election = 300*ms, heartbeat = 50*ms, tick = 10*ms, pre_vote = false,
                check_quorum = false, snapshot_entries = 60, catchup_entries = 20, max_inflight = 4, max_message = 1 },
    network = { latency = { 0.5*ms, 10*ms }, loss = 0.02 },
    run = function(c)
      c:load { clients = 2, rate = 40, mix = { put = 2, get = 1 }, keys = 10 }
      tails(c, 8)
    end,
  }
end

-- The network at its worst: what Raft says comes twice, late and out of order, also
-- later than an election or two; answers to what was long forgotten.
for _, options in ipairs {
  { name = "plain", pre_vote = false, check_quorum = false },
  { name = "with pre-vote", pre_vote = true, check_quorum = false },
  { name = "with both", pre_vote = true, check_quorum = true },
} do
  scenario("raft: messages come twice, late and out of order, " .. options.name) {
    tags = { "raft", "network" }, seeds = 40,
    cluster = { members = 5, election = 200*ms, heartbeat = 40*ms, tick = 10*ms, pre_vote = options.pre_vote,
                check_quorum = options.check_quorum, snapshot_entries = 30, catchup_entries = 5, max_inflight = 3 },
    network = { latency = lognormal(10*ms, 1.3), loss = 0.1, duplicate = 0.2, reorder = 0.5 },
    run = function(c)
      c:load { clients = 3, rate = 60, mix = { put = 2, get = 1 }, keys = 10 }
      for round = 1, 6 do
        sleep(0.3*s + random() * 1.5*s)
        local what, m = random(4), c:leader() or c[random(#c)]
        if what == 1 then
          c:isolate(m)
        elseif what == 2 and m.alive then
          m:crash()
        elseif what == 3 and m.alive then
          m:pause()
        else
          local order = shuffle { 1, 2, 3, 4, 5 }
          c:partition({ order[1], order[2] }, { order[3], order[4], order[5] })
        end
        sleep(random() * 1.5*s)
        c:heal()
        if not m.alive then m:restart() elseif m.paused then m:resume() end
      end
      c:network { latency = { 0.5*ms, 2*ms }, loss = 0, duplicate = 0, reorder = 0 }
    end,
  }
end

-- A term more or less: stale members come back again and again with terms and logs
-- that the others have left behind, and nobody may be stuck for it.
scenario "raft: members return with old logs and high terms" {
  tags = { "raft", "terms" }, seeds = 40,
  cluster = { members = 5, election = 300*ms, heartbeat = 50*ms, tick = 10*ms, snapshot_entries = 40,
              catchup_entries = 10, max_inflight = 2,
              member = { [1] = { pre_vote = false }, [2] = { pre_vote = false } } },
  network = { latency = { 0.5*ms, 20*ms }, loss = 0.05, duplicate = 0.05 },
  run = function(c)
    c:load { clients = 2, rate = 50, mix = { put = 1 }, keys = 10 }
    for round = 1, 6 do
      local a, b = pick(us_all), pick(us_all)
      c:isolate(a)
      sleep(random() * 2*s)
      if b ~= a and c[b].alive then c[b]:crash() end
      sleep(random() * 2*s)
      c:heal()
      if not c[b].alive then c[b]:restart() end
      sleep(random() * 1*s)
    end
    c:await_leader { within = 20*s }
  end,
}

-- A leader whose whole window is lost, again and again: nothing but heartbeats says so.
scenario "raft: whole windows of appends are lost" {
  tags = { "raft", "window" }, seeds = 20,
  cluster = { members = 3, max_inflight = 2, election = 1*s },
  run = function(c)
    local old = c:await_leader { within = 10*s }
    c:load { clients = 4, rate = 100, mix = { put = 1 }, keys = 10 }
    for round = 1, 5 do
      local leader = c:leader() or old
      local m = choose(c:followers())
      c:link(leader, m, { loss = 1 })
      sleep(random() * 400*ms)
      c:link(leader, m, { loss = 0 })
      sleep(1*s)
    end
    -- Healed, everybody is at the same place within a second.
    sleep(1*s)
    for _, m in ipairs(c:members()) do
      expect(m.applied + 50 >= c:leader().commit, "nobody is left behind for good")
    end
  end,
}

-- Followers stand by a leader that they hear: whoever does not hear it stands in vain.
scenario "raft: who alone has lost the leader does not bring it down" {
  tags = { "raft", "stickiness" }, seeds = 20,
  cluster = { members = pick { 3, 4, 5 }, election = 500*ms, heartbeat = 50*ms, pre_vote = random(2) == 1 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    c:load { clients = 1, rate = pick { 0.2, 20 }, mix = { put = 1 } }
    sleep(2*s)
    local m, term = choose(c:followers()), leader.term
    c:cut(leader, m)
    c:cut(m, leader)
    sleep(10 * 500*ms)
    expect(leader.role == "leader" and leader.term == term, "it leads as before")
  end,
}

-- A member whose term runs ahead in secret, for nobody hears its elections, then with one
-- that has the longer log and the lower term: alone neither can win.
scenario "raft: a term that nobody has heard of" {
  tags = { "raft", "terms" }, seeds = 20,
  cluster = { members = 3, election = 300*ms, heartbeat = 50*ms, check_quorum = false },
  run = function(c)
    local old = c:await_leader { within = 10*s }
    local secret, other = table.unpack(c:followers())
    local cli = c:client { endpoints = { old, other }, timeout = 3*s }
    expect(cli:put("a", "1"), "the cluster serves")
    sleep(1*s)
    local term = secret.term
    -- Its pre-votes are granted, its requests for votes are lost.
    at("role:candidate", { member = secret, every = 1 }, function()
      c:link(secret, other, { loss = 1 })
      spawn(function()
        sleep(100*ms)
        if secret.term < term + 3 then c:link(secret, other, { loss = 0 }) end
      end)
    end)
    c:cut(old, secret)
    c:cut(secret, old)
    sleep(random(3.0, 6.0))
    c:isolate(secret)
    for i = 1, 5 do expect(cli:put("a", "later " .. i), "the others go on") end
    old:crash()
    c:heal()
    c:link(secret, other, { loss = 0 })
    c:await_leader { within = 10*s }
    expect(cli:get("a") == "later 5", "with what was written meanwhile")
  end,
}
