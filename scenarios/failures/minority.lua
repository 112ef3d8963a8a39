-- "When fewer than half of the followers fail, the etcd cluster can still accept
-- requests and make progress without any major disruption. For example, two
-- follower failures do not affect a five member etcd cluster's operation. However,
-- clients lose connectivity to the failed members. Client libraries should hide
-- these interruptions from users for read requests by automatically reconnecting
-- to other members. Operators should expect the system load on the other members
-- to increase during a minor follower failure."

local E = 1*s

local function fail(m, how)
  if how == "crash" then m:crash() elseif how == "power" then m:power_off() else m:pause() end
end

local function restore(m)
  if m.paused then m:resume() else m:restart() end
end

-- The true bound is n - q followers, for every n; one more and it is over.
for _, n in ipairs { 3, 5, 7 } do
  scenario("a minority of followers fails, n=" .. n) {
    claims = { "minority.progress", "minority.disconnect" },
    seeds = 20,
    cluster = { members = n },
    run = function(c)
      local leader = c:await_leader { within = 10*s }
      sleep(1*s)
      local term, victims = leader.term, shuffle(c:minority())
      for _, m in ipairs(victims) do
        fail(m, choose { "crash", "power", "pause" })
        sleep(choose { 0, random() * 500*ms })
      end
      -- Clients of the survivors notice nothing.
      local survivors = {}
      for _, m in ipairs(c:members()) do
        if m.alive and not m.paused then survivors[#survivors + 1] = m end
      end
      local l = c:load { clients = 8, rate = 200, mix = { put = 1, get = 1 }, endpoints = survivors }
      sleep(5*s)
      expect(l.failed + l.unknown == 0, "nothing that is sent to a survivor fails")
      expect(l.ok >= 0.95 * l.offered, "and what is offered is served")
      expect(c:leader() == leader and leader.term == term, "without an election")
      record("latency_p99", l:latency(0.99))
      l:stop()
      -- One more: no quorum, no commit, and the leader steps down within 2 E.
      local extra
      for _, m in ipairs(c:followers()) do
        if not extra then extra = m end
      end
      fail(extra, "crash")
      local committed = leader.commit
      sleep(2*E + 100*ms)
      expect(leader.role ~= "leader", "with one more the leader steps down")
      expect(leader.commit <= committed + 16, "and nothing sent later commits")
      committed = leader.commit
      sleep(2*E)
      expect(leader.commit == committed, "nothing at all")
      extra:restart()
      for _, m in ipairs(victims) do restore(m) end
      c:await_healthy { within = 20*s }
    end,
  }
end

-- Exactly the clients of a failed member see it go.
scenario "clients of the failed member lose it, the others do not" {
  claims = { "minority.disconnect" },
  seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    sleep(1*s)
    local victim = choose(c:followers())
    local clients = {}
    for _, m in ipairs(c:members()) do
      clients[m] = c:client { endpoints = { m }, timeout = 1*s }
      expect(clients[m]:put("mine", "yes"))
    end
    victim:crash()
    sleep(100*ms)
    for _, m in ipairs(c:members()) do
      local ok = clients[m]:put("mine", "still")
      if m == victim then
        expect(ok == false, "the failed member's own client is cut off")
      else
        expect(ok, "everybody else's is not")
      end
    end
    victim:restart()
    sleep(2*s)
    expect(clients[victim]:put("mine", "again"), "until it returns")
  end,
}

-- Reads are repeated elsewhere behind the caller's back; writes, once sent, are not.
scenario "reads outlive the followers they were sent to" {
  claims = { "minority.reads-hidden" },
  seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    sleep(1*s)
    local cli = c:client()
    cli:put("k", "v")
    local stop, reads, errors = false, 0, 0
    local function reader(options)
      while not stop do
        local value, err = cli:get("k", options)
        reads = reads + 1
        if value ~= "v" then errors = errors + 1 end
        sleep(5*ms)
      end
    end
    spawn(function() reader {} end)
    spawn(function() reader { serializable = true } end)
    for round = 1, 5 do
      local victim = choose(c:followers())
      victim:crash()
      sleep(random() * 1*s)
      victim:restart()
      sleep(500*ms + random() * 500*ms)
    end
    stop = true
    sleep(1*s)
    record("reads", reads)
    expect(errors == 0, "no read error reaches the caller")
  end,
}

-- What the failed members served, the survivors serve: n / (n - f) times as much.
scenario "load on the survivors rises" {
  claims = { "minority.load-shift" },
  seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    c:load { clients = 10, rate = 500, mix = { get = 1 } }
    sleep(2*s)
    local victims = { c:followers()[1], c:followers()[2] }
    local function served()
      local sum = 0
      for _, m in ipairs(c:members()) do
        if m ~= victims[1] and m ~= victims[2] then sum = sum + m.requests_served end
      end
      return sum
    end
    local before = served()
    sleep(5*s)
    before = served() - before
    for _, m in ipairs(victims) do m:crash() end
    sleep(1*s)
    local after = served()
    sleep(5*s)
    after = served() - after
    record("load_ratio", after / before)
    expect(after / before > 5/3 * 0.9, "each survivor serves more")
    expect(after / before < 5/3 * 1.1, "by its share of what the others did")
  end,
  expect = { { stat = "mean", of = "load_ratio", near = 5/3, within = 0.1 } },
}
