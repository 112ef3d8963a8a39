-- "A network partition divides the etcd cluster into two parts; one with a member
-- majority and the other with a member minority. The majority side becomes the
-- available cluster and the minority side is unavailable; there is no "split-brain"
-- in etcd. If the leader is on the majority side, then from the majority point of view
-- the failure is a minority follower failure. If the leader is on the minority side,
-- then it is a leader failure. The leader on the minority side steps down and the
-- majority side elects a new leader. Once the network partition clears, the minority
-- side automatically recognizes the leader from the majority side and recovers its
-- state."

local common = require "common"
local H, E = common.H, common.E

-- Some of those who may fail, at least one.
local function some_of_minority(c)
  local all, some = shuffle(c:minority()), {}
  for i = 1, random(#all) do some[i] = all[i] end
  return some
end

for _, n in ipairs { 3, 5, 7 } do
  scenario("the leader is on the majority side, n=" .. n) {
    claims = { "partition.majority-side", "partition.heal" },
    measures = {
      ["partition.majority-side"] = { "served", "latency_p99" },
      ["partition.heal"] = { "adopted_after", "caught_up_after" },
    },
    note = "who still hears the leader goes on applying what is committed; it is cut off for its clients all the same",
    seeds = 100,
    cluster = { members = n },
    run = function(c)
      local leader = c:await_leader { within = 10*s }
      sleep(1*s)
      local small, term = some_of_minority(c), leader.term
      local rest = common.others(c, small)
      local shape = choose { "both ways", "hears nothing", "is not heard" }
      local l = common.load(c, { endpoints = rest })
      sleep(random() * 500*ms)
      if shape == "both ways" then
        c:partition(small, rest)
      else
        for _, m in ipairs(small) do
          for _, other in ipairs(rest) do
            if shape == "hears nothing" then c:cut(other, m) else c:cut(m, other) end
          end
        end
      end
      local committed = {}
      sleep(100*ms)
      for _, m in ipairs(small) do committed[m] = m.commit end
      local asked = {}
      for _, m in ipairs(small) do
        asked[m] = c:client { endpoints = { m }, timeout = 4*s }
        spawn(function()
          expect(asked[m]:get("k1") == false, "the small side serves no linearizable read")
        end)
        spawn(function()
          expect(asked[m]:put("small", "x") == false, "and takes no write")
        end)
        expect(asked[m]:get("k1", { serializable = true }) ~= false, "a serializable read it answers")
      end
      sleep(choose { 5*s, 10*s, 30*s })
      expect(l.failed + l.unknown == 0 and l.ok >= 0.99 * l.offered, "the majority's clients notice nothing")
      record("served", l.ok / l.offered)
      record("latency_p99", l:latency(0.99))
      expect(c:leader() == leader and leader.term == term, "its leader leads on")
      for _, m in ipairs(small) do
        expect(shape == "is not heard" or m.commit == committed[m], "the small side commits nothing")
        expect(m.term == term, "and its term does not grow")
      end
      local candidates = 0
      c:heal()
      local t = now()
      at("role:candidate", {}, function() candidates = candidates + 1 end)
      eventually(function()
        for _, m in ipairs(small) do
          if m.leader ~= leader then return false end
        end
        return true
      end, { within = 2*s })
      record("adopted_after", now() - t)
      expect(now() - t <= H + 20*ms, "one heartbeat, and the small side follows")
      l:stop()
      eventually(function()
        for _, m in ipairs(small) do
          if m.applied < leader.commit then return false end
        end
        return true
      end, { within = 10*s })
      record("caught_up_after", now() - t)
      expect(candidates == 0 and c:leader() == leader and leader.term == term, "healing costs no election")
      c:await_converged { within = 20*s }
      for _, name in ipairs { "both ways", "hears nothing", "is not heard" } do sometimes(name, shape == name) end
    end,
  }

  scenario("the leader is on the minority side, n=" .. n) {
    claims = { "partition.minority-side", "partition.heal" },
    measures = {
      ["partition.minority-side"] = { "step_down_time", "election_time", "two_leaders_for" },
      ["partition.heal"] = { "adopted_after" },
    },
    note = "for as long as 2E there may be two leaders, of different terms; the old one commits nothing, reads nothing, "
      .. "renews nothing and revokes nothing",
    seeds = 200,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      sleep(1*s)
      common.load(c)
      sleep(random() * 1*s)
      local old = c:leader()
      local with_old = { old }
      for _, m in ipairs(shuffle(c:followers())) do
        if #with_old < (n - 1) // 2 and random(2) == 1 then with_old[#with_old + 1] = m end
      end
      local rest = common.others(c, with_old)
      local outside = c:client { endpoints = rest }
      local inside = c:client { endpoints = { old }, timeout = 4*s }
      local lease = inside:grant(60)
      expect(inside:put("k", "old") and lease)
      local t, down = now(), nil
      when(function(m) return m == old and m.role ~= "leader" end, function() down = down or now() end)
      c:partition(with_old, rest)
      local committed = old.last_index
      local write = inside:async("put", "minority", "never")
      -- Reads and renewals all the time until it steps down, answers held against it.
      local stop, read, renewed = false, nil, nil
      spawn(function()
        while not stop do
          local started, handle = now(), inside:async("get", "k")
          spawn(function()
            -- Whoever asked after the new leader's first write must not see the old value.
            if handle:await() and not stop and started > t then read = started end
          end)
          sleep(50*ms)
        end
      end)
      spawn(function()
        while not stop do
          local started = now()
          if lease:keepalive() and started > t and not stop then renewed = started end
          sleep(50*ms)
        end
      end)
      local new = c:await_leader { other_than = old, within = 60*s }
      local elected = now()
      record("election_time", now() - t)
      -- Who has not heard of the new leader yet sends a write to the old one, and it is lost.
      eventually(function() return (outside:put("k", "new")) end, { within = 20*s })
      eventually(function() return down end, { within = 3*E })
      record("step_down_time", down - t)
      record("two_leaders_for", math.max(0, down - elected))
      sometimes("two lead at once", down > elected)
      -- CheckQuorum asks every E whether a quorum answered since it last asked.
      expect(down - t >= E - H - 10*ms, "it does not step down before it can know")
      expect(down - t <= 2*E + 10*ms, "and within two election timeouts it does")
      expect(not read, "the old leader answers no linearizable read")
      expect(not renewed, "and renews no lease")
      expect(old.commit <= committed, "nor does it commit")
      local ok = write:await()
      expect(ok == false, "a write that it took is not acknowledged")
      stop = true
      sleep(choose { 1*s, 10*s })
      local term = c:leader().term
      c:heal()
      local healed = now()
      eventually(function() return old.leader == c:leader() end, { within = 1*s })
      record("adopted_after", now() - healed)
      sleep(1*s)
      expect(c:leader().term == term, "healing costs no election")
      c:await_converged { within = 20*s }
      local value = outside:get("minority")
      expect(value == nil or value == "never", "what it took alone is gone, or there whole")
    end,
  }

  -- Behind by less and by more than the log that is kept, with and without a tail of
  -- its own that has to go; after a second or after ten minutes.
  scenario("a healed minority catches up, n=" .. n) {
    claims = { "partition.heal" },
    measures = { ["partition.heal"] = { "caught_up_after", "behind" } },
    seeds = 100,
    cluster = { members = n, snapshot_entries = 200, catchup_entries = 100 },
    run = function(c)
      c:await_leader { within = 10*s }
      sleep(1*s)
      local old = c:leader()
      local small = choose { "leader", "followers" } == "leader" and { old } or some_of_minority(c)
      local has_leader = small[1] == old
      local rest = common.others(c, small)
      local inside = c:client { endpoints = { small[1] }, timeout = 3*s }
      local snapshots = 0
      at("receive MsgSnap", {}, function() snapshots = snapshots + 1 end)
      c:partition(small, rest)
      -- A tail that nobody else has.
      local tail = has_leader and random(20) or 0
      for i = 1, tail do inside:async("put", "tail" .. i, "never") end
      local leader = c:await_leader { other_than = has_leader and old or nil, within = 60*s }
      local l = common.load(c, { endpoints = rest, rate = choose { 20, 200 } })
      sleep(choose { 1*s, 3*s, 10*s })
      l:stop()
      sleep(choose { 1*s, 1*min, 10*min })
      leader = c:leader()
      local term, elections = leader.term, 0
      local behind = 0
      for _, m in ipairs(small) do behind = math.max(behind, leader.commit - m.commit) end
      at("role:pre-candidate", {}, function(m) if m == leader then elections = elections + 1 end end)
      c:heal()
      local t = now()
      eventually(function()
        for _, m in ipairs(small) do
          if m.leader ~= leader or m.applied < leader.commit then return false end
        end
        return true
      end, { within = 30*s })
      record("caught_up_after", now() - t)
      record("behind", behind)
      expect(c:leader() == leader and leader.term == term, "healing costs no election and no term")
      sometimes("caught up by the log", behind > 0 and snapshots == 0)
      sometimes("caught up by a snapshot", snapshots > 0)
      sometimes("a tail was cut", tail > 0)
      c:await_converged { within = 20*s }
      for _, m in ipairs(c:members()) do
        expect(m.store_hash == leader.store_hash and m.revision == leader.revision, "all hold the same")
      end
      local cli = c:client()
      for i = 1, tail do
        local value, found = cli:get("tail" .. i)
        expect(value == nil or found.version == 1, "the tail is gone, or each of it there once")
      end
    end,
  }
end

-- A half is not a majority: nobody leads, nothing commits, and nobody is to blame.
scenario "an even split has no leader anywhere" {
  claims = { "partition.shapes" },
  measures = { ["partition.shapes"] = {} },
  seeds = 50,
  cluster = { members = 4 },
  run = function(c)
    c:await_leader { within = 10*s }
    common.load(c)
    sleep(1*s)
    local order = shuffle(c:members())
    c:partition({ order[1], order[2] }, { order[3], order[4] })
    local last = 0
    for _, m in ipairs(c:members()) do last = math.max(last, m.last_index) end
    sleep(2*E + 500*ms)
    for _, m in ipairs(c:members()) do expect(m.role ~= "leader", "two of four are no quorum") end
    sleep(10*s)
    for _, m in ipairs(c:members()) do expect(m.commit <= last, "nothing commits") end
    c:heal()
    c:await_leader { within = 10*s }
    c:await_converged { within = 20*s }
  end,
}

-- Links that fail one by one make shapes in which not everybody sees the same cluster.
-- Which of them make progress has been published for Raft with PreVote and CheckQuorum
-- (OmniPaxos, EuroSys 2023, table 1).
local shapes = {
  -- One follower alone still sees everybody: it is the only one that can be elected.
  ["quorum loss"] = { n = 5, progress = true, cut = function(c, leader, hub)
    for _, a in ipairs(c:members()) do
      for _, b in ipairs(c:members()) do
        if a ~= b and a ~= hub and b ~= hub then c:cut(a, b) end
      end
    end
  end },
  -- The same, but the one that sees the others is behind them and cannot be elected.
  ["constrained election"] = { n = 5, progress = false, cut = function(c, leader, hub)
    c:cut(leader, hub)
    c:cut(hub, leader)
    sleep(1*s) -- with the load, it is behind by now
    for _, a in ipairs(c:members()) do
      for _, b in ipairs(c:members()) do
        if a ~= b and ((a ~= hub and b ~= hub) or a == leader or b == leader) then c:cut(a, b) end
      end
    end
  end },
  -- Leader and one follower do not see each other, the third sees both.
  ["chain"] = { n = 3, progress = true, cut = function(c, leader, hub)
    c:cut(leader, hub)
    c:cut(hub, leader)
  end },
  -- Everybody sees two neighbours, with itself just a majority.
  ["ring"] = { n = 5, progress = true, cut = function(c)
    for i = 1, 5 do
      for j = 1, 5 do
        local apart = (j - i) % 5
        if apart == 2 or apart == 3 then c:cut(c[i], c[j]) end
      end
    end
  end },
  -- Two halves that share one member.
  ["bridge"] = { n = 5, progress = true, cut = function(c)
    local order = shuffle(c:members())
    for _, a in ipairs { order[1], order[2] } do
      for _, b in ipairs { order[4], order[5] } do
        c:cut(a, b)
        c:cut(b, a)
      end
    end
  end },
  -- The leader hears everybody and nobody hears it: its followers replace it.
  ["leader not heard"] = { n = 5, progress = true, cut = function(c, leader)
    for _, m in ipairs(c:members()) do
      if m ~= leader then c:cut(leader, m) end
    end
  end },
  -- The leader is heard and hears nobody: it must give up by itself.
  ["leader hears nothing"] = { n = 5, progress = true, cut = function(c, leader)
    for _, m in ipairs(c:members()) do
      if m ~= leader then c:cut(m, leader) end
    end
  end },
}

for _, name in ipairs { "quorum loss", "constrained election", "chain", "ring", "bridge", "leader not heard", "leader hears nothing" } do
  local shape = shapes[name]
  scenario("partition: " .. name) {
    claims = { "partition.shapes" },
    measures = { ["partition.shapes"] = { "longest_gap", "leaders" } },
    seeds = 50,
    cluster = { members = shape.n },
    run = function(c)
      c:await_leader { within = 10*s }
      sleep(1*s)
      local l = common.load(c)
      local leader = c:leader()
      local leaders = 0
      at("role:leader", {}, function() leaders = leaders + 1 end)
      shape.cut(c, leader, choose(c:followers()))
      local t, last, longest = now(), now(), 0
      local highest = 0
      for _, m in ipairs(c:members()) do highest = math.max(highest, m.commit) end
      at("commit", {}, function(m)
        if m.role == "leader" and m.commit > highest then
          longest, last, highest = math.max(longest, now() - last), now(), m.commit
        end
      end)
      sleep(30*s)
      longest = math.max(longest, now() - last)
      record("longest_gap", longest)
      record("leaders", leaders)
      if shape.progress then
        expect(longest < 15*E, "there is progress")
      else
        expect(now() - last > 25*s, "there is none, as published")
      end
      c:heal()
      c:await_leader { within = 30*s }
      c:await_converged { within = 30*s }
    end,
  }
end

-- A link that comes and goes, a thousand times: safe, and in the end at rest.
scenario "a flapping partition" {
  claims = { "partition.shapes", "partition.heal" },
  measures = { ["partition.shapes"] = { "served" }, ["partition.heal"] = {} },
  seeds = 10,
  cluster = { members = 5, snapshot_entries = 500, catchup_entries = 200 },
  run = function(c)
    c:await_leader { within = 10*s }
    local l = common.load(c, { rate = 20 })
    for flap = 1, 1000 do
      local order = shuffle(c:members())
      if random(2) == 1 then c:isolate(order[1]) else c:partition({ order[1], order[2] }, { order[3], order[4], order[5] }) end
      sleep(random() * (random(5) == 1 and 1500*ms or 200*ms))
      c:heal()
      sleep(random() * 100*ms)
    end
    record("served", l.ok / l.offered)
    c:await_leader { within = 10*s }
    c:await_converged { within = 20*s }
  end,
}

-- Both sides ask for other members while they are apart: only the majority can have it.
for _, n in ipairs { 3, 5 } do
  scenario("membership changes on both sides of a partition, n=" .. n) {
    claims = { "partition.shapes" },
    measures = { ["partition.shapes"] = {} },
    seeds = 100,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      common.load(c, { rate = 50 })
      sleep(1*s)
      local old = c:leader()
      local small = choose { true, false } and { old } or some_of_minority(c)
      local rest = common.others(c, small)
      local inside = c:client { endpoints = { small[1] }, timeout = 3*s }
      c:partition(small, rest)
      -- The operator does not know where its requests go: some reach the minority, whose
      -- leader takes them up and never gets them decided.
      local mine = inside:async("put", "inside", "never")
      for i = 1, 3 do
        spawn(function() c:remove_member(small[#small]) end)
      end
      sleep(random() * 2*s)
      if not c:leader() or c:leader() == old and small[1] == old then
        c:await_leader { other_than = small[1] == old and old or nil, within = 60*s }
      end
      local done, err
      if random(2) == 1 then
        done, err = c:add_member { learner = random(2) == 1 }
      else
        done, err = c:remove_member(small[#small])
      end
      sometimes("the majority changes its members", done)
      sleep(random() * 3*s)
      local ok = mine:await()
      expect(ok == false, "the minority decides nothing")
      c:heal()
      c:await_leader { within = 30*s }
      sleep(2*s)
    end,
  }
end
