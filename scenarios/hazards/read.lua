-- Reads where there may be two leaders: one that does not know yet that it has been
-- replaced must not answer. The judge of histories decides.

-- Clients that stay with one member and read all the time.
local function readers(c)
  for _, m in ipairs(c:members()) do
    c:load { clients = 1, mix = { get = 3, range = 1 }, keys = 5, endpoints = { m }, timeout = 3*s }
    c:load { clients = 1, rate = 100, mix = { get = 1 }, keys = 5, endpoints = { m }, timeout = 3*s }
  end
end

for _, n in ipairs { 3, 5 } do
  scenario("read: the leader is cut off, paused or stalled among readers, n=" .. n) {
    tags = { "read", "partition", "pause" }, seeds = 20,
    cluster = { members = n },
    network = { latency = { 0.5*ms, 20*ms } },
    run = function(c)
      c:await_leader { within = 10*s }
      readers(c)
      c:load { clients = 4, rate = 150, mix = { put = 1 }, keys = 5 }
      for round = 1, 6 do
        sleep(random() * 2*s)
        local m, what = c:leader(), random(6)
        local length = 500*ms + random() * 3*s
        if not m then goto next end
        if what == 1 then m:pause() sleep(length) m:resume()
        elseif what == 2 then c:isolate(m) sleep(length) c:heal()
        elseif what == 3 then
          -- Its timer stands still while it is cut off: it cannot count down.
          m:stall { timer = length + 1*s } c:isolate(m) sleep(length) c:heal()
        elseif what == 4 then m:slow(10 ^ random(3, 4), choose { "reads", "raft", "apply" }) sleep(length)
          for _, stage in ipairs { "reads", "raft", "apply" } do m:slow(1, stage) end
        elseif what == 5 then
          -- It is heard, and hears nobody.
          for _, other in ipairs(c:members()) do if other ~= m then c:cut(other, m) end end
          sleep(length) c:heal()
        else m:crash() sleep(length) m:restart() end
        ::next::
      end
    end,
  }
end

-- A new leader may know less of what is committed than the old one did, until it has
-- committed something of its own.
scenario "read: right after an election" {
  tags = { "read", "failover" }, seeds = 40,
  cluster = { members = 3, heartbeat = 50*ms, election = 250*ms },
  disk = { sync = { 5*ms, 60*ms } },
  network = { latency = { 1*ms, 15*ms } },
  run = function(c)
    c:await_leader { within = 10*s }
    readers(c)
    c:load { clients = 4, rate = 200, mix = { put = 1 }, keys = 5 }
    for round = 1, 8 do
      sleep(300*ms + random() * 700*ms)
      local old = c:leader()
      if old then
        if random(2) == 1 then
          old:crash()
          sleep(1*s)
          old:restart()
        else
          c:isolate(old)
          sleep(1*s)
          c:heal()
        end
      end
    end
  end,
}

-- Many short pauses: acknowledgements of before wait beside questions of after.
scenario "read: acknowledgements come late" {
  tags = { "read", "pause" }, seeds = 40,
  cluster = { members = 3, heartbeat = 20*ms, election = 100*ms },
  network = { latency = lognormal(2*ms, 1.2), reorder = 0.05, duplicate = 0.05 },
  run = function(c)
    c:await_leader { within = 10*s }
    readers(c)
    c:load { clients = 4, rate = 300, mix = { put = 1 }, keys = 3 }
    for round = 1, 15 do
      sleep(random() * 400*ms)
      local old = c:leader()
      if old then
        if random(3) == 1 then c:isolate(old) end
        old:pause()
        sleep(150*ms + random() * 400*ms)
        if random(2) == 1 then c:heal() end
        old:resume()
        sleep(random() * 100*ms)
        c:heal()
      end
    end
  end,
}

-- Whoever has been told to take over may have done so.
scenario "read: leadership is handed over and the old leader is cut off" {
  tags = { "read", "transfer", "partition" }, seeds = 20,
  cluster = { members = 3, election = 500*ms, heartbeat = 50*ms },
  network = { latency = { 1*ms, 5*ms } },
  run = function(c)
    c:await_leader { within = 10*s }
    readers(c)
    c:load { clients = 4, rate = 150, mix = { put = 1 }, keys = 5 }
    for _ = 1, 5 do
      sleep(random(1.0, 2.0))
      local old = c:await_leader { within = 10*s }
      at("after:send MsgTimeoutNow", { member = old }, function()
        spawn(function()
          sleep(random(0.0, 0.02))
          c:isolate(old)
        end)
      end)
      spawn(function() c:move_leader(choose(c:followers())) end)
      sleep(2*s)
      c:heal()
    end
  end,
}

-- Who hears a leader and has no vote makes it neither a leader nor a witness.
for _, check_quorum in ipairs { true, false } do
  scenario("read: only learners hear the leader, " .. (check_quorum and "and it notices" or "and it does not know")) {
    tags = { "read", "learner", "partition" }, seeds = 20,
    cluster = { members = 3, learners = 2, election = 500*ms, heartbeat = 50*ms, check_quorum = check_quorum },
    run = function(c)
      local function voters(leader)
        local list = {}
        for i = 1, 3 do if c[i] ~= leader then list[#list + 1] = c[i] end end
        return list
      end
      c:await_leader { within = 10*s }
      readers(c)
      c:load { clients = 4, rate = 150, mix = { put = 1 }, keys = 5 }
      for _ = 1, 3 do
        sleep(random(1.0, 2.0))
        local old = c:await_leader { within = 10*s }
        c:partition({ old, c[4], c[5] }, voters(old))
        sleep(random(2.0, 3.0))
        expect(not check_quorum or old.role ~= "leader", "it leads nobody who votes")
        c:heal()
      end
    end,
  }
end

-- What a follower asks its leader may be lost, and so may the answer: it asks again long
-- before whoever asked it gives up.
scenario "read: a question that was lost is asked again" {
  tags = { "read", "network" }, seeds = 10,
  cluster = { members = 3 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local m = choose(c:followers())
    local cli = c:client { endpoints = { m }, timeout = 20*s }
    expect(cli:put("a", "1"), "the cluster serves")
    for _ = 1, 10 do
      local from, to = leader, m
      if random(2) == 1 then from, to = m, leader end
      c:link(from, to, { loss = 1 })
      local t, done = now(), false
      spawn(function() done = cli:get("a") == "1" end)
      sleep(100*ms)
      c:link(from, to, { loss = 0 })
      eventually(function() return done end, { within = 2*s })
      sleep(random(0.0, 0.5))
    end
    expect(c:leader() == leader, "it led all the while")
  end,
}
