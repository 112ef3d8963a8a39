-- "When fewer than half of the followers fail, the etcd cluster can still accept
-- requests and make progress without any major disruption. For example, two
-- follower failures do not affect a five member etcd cluster's operation. However,
-- clients lose connectivity to the failed members. Client libraries should hide
-- these interruptions from users for read requests by automatically reconnecting
-- to other members. Operators should expect the system load on the other members
-- to increase during a minor follower failure."

local common = require "common"
local E = common.E

for _, n in ipairs { 3, 5, 7 } do
  scenario("a minority of followers fails, n=" .. n) {
    claims = { "minority.progress" },
    measures = { ["minority.progress"] = { "served", "latency_p99_before", "latency_p99_after", "step_down_time" } },
    note = "\"fewer than half of the followers\" is stricter than need be: any n - q followers may fail, "
      .. "two of the four in a cluster of five, one of the two in a cluster of three",
    seeds = 100,
    cluster = { members = n },
    run = function(c)
      local leader = c:await_leader { within = 10*s }
      local victims = shuffle(c:minority())
      local survivors = common.others(c, victims)
      -- Clients are spread over all members; those of the survivors are counted apart.
      common.load(c, { clients = 8 * #victims // n + 1, rate = 200 * #victims / n, endpoints = victims })
      local before = common.load(c, { endpoints = survivors, rate = 200 * #survivors / n })
      sleep(2*s)
      before:stop()
      record("latency_p99_before", before:latency(0.99))

      local term, elections = leader.term, 0
      at("role:pre-candidate", {}, function() elections = elections + 1 end)
      local l = common.load(c, { endpoints = survivors, rate = 200 * #survivors / n })
      local pace = choose { "at once", "one by one" }
      for _, m in ipairs(victims) do
        common.fail(c, m, choose { "crash", "power", "pause" })
        if pace == "one by one" then sleep(random() * 500*ms) end
      end
      sleep(5*s)
      expect(l.failed + l.unknown == 0, "nothing that is sent to a survivor fails")
      expect(l.ok >= 0.95 * l.offered, "and what is offered is served")
      expect(elections == 0, "nobody even thinks of an election")
      expect(c:leader() == leader and leader.term == term, "the leader leads on")
      record("served", l.ok / l.offered)
      record("latency_p99_after", l:latency(0.99))
      expect(l:latency(0.99) < 5 * before:latency(0.99), "nor is anybody kept waiting")
      sometimes("all fail at once", pace == "at once")
      sometimes("they fail one by one", pace == "one by one")

      -- One more, and it is over: no quorum is left, nothing that comes later commits,
      -- and the leader steps down as soon as it can know.
      local extra = choose(c:followers())
      local last, t, down = leader.last_index, now(), nil
      when(function(m) return m == leader and m.role ~= "leader" end, function() down = down or now() end)
      common.fail(c, extra, choose { "crash", "pause" })
      sleep(4*E)
      expect(down and down - t <= 2*E + 10*ms, "with one more the leader steps down")
      expect(leader.commit <= last, "and nothing that was not in its log by then commits")
      record("step_down_time", down - t)
      for _, m in ipairs(c:members()) do
        if m.paused then m:resume() elseif not m.alive then m:restart() end
      end
      c:await_healthy { within = 30*s }
    end,
  }
end

-- Exactly the clients of a failed member see it go. A crash resets their connections;
-- a machine that hangs says nothing, and only who keeps asking finds out.
for _, n in ipairs { 3, 5, 7 } do
  scenario("clients of the failed member lose it, the others do not, n=" .. n) {
    claims = { "minority.disconnect" },
    note = "a member that hangs is noticed by a client's keepalive, without one only by the call's deadline",
    seeds = 50,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      common.load(c)
      sleep(1*s)
      local victim, how = choose(c:followers()), choose { "crash", "pause" }
      local clients = {}
      for _, m in ipairs(c:members()) do
        clients[m] = c:client { endpoints = { m }, timeout = 3*s }
        expect(clients[m]:put("mine", "yes"))
      end
      local pinging = c:client { endpoints = { victim }, timeout = 3*s, keepalive = { every = 300*ms, timeout = 300*ms } }
      expect(pinging:put("mine", "yes"))
      common.fail(c, victim, how)
      local t, noticed = now(), {}
      local function see(name, cli)
        spawn(function()
          local ok, err = cli:put("mine", "still")
          noticed[name] = { ok = ok, after = now() - t, err = err }
        end)
      end
      for _, m in ipairs(c:members()) do see(m.name, clients[m]) end
      see("pinging", pinging)
      sleep(4*s)
      for _, m in ipairs(c:members()) do
        if m ~= victim then
          expect(noticed[m.name].ok and noticed[m.name].after < 200*ms, "who asks another member notices nothing")
        end
      end
      local silent, asking = noticed[victim.name], noticed.pinging
      expect(not silent.ok and not asking.ok, "the failed member's own clients are cut off")
      record("noticed_after " .. how, silent.after)
      record("noticed_after " .. how .. " with keepalive", asking.after)
      if how == "pause" then
        expect(silent.after >= 3*s - 1*ms, "a hang is noticed by the deadline")
        expect(asking.after < 1*s, "or by keepalive, long before")
        expect(asking.err.unknown, "and nobody knows what became of the write")
      else
        expect(silent.err.code ~= nil and silent.after <= 3*s + 1*ms, "a crash is noticed by the reset")
      end
      common.restore(c, victim, how)
      eventually(function() return clients[victim]:put("mine", "again") end, { within = 10*s })
    end,
  }
end

-- Reads are repeated elsewhere behind the caller's back; writes, once sent, are not.
for _, n in ipairs { 3, 5, 7 } do
  scenario("reads outlive the followers they were sent to, n=" .. n) {
    claims = { "minority.reads-hidden" },
    note = "reads only: a write that was sent is not repeated, its caller is told that nobody knows what became of it",
    seeds = 50,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      common.load(c, { rate = 100 })
      sleep(1*s)
      -- A reset is noticed at once; silence only by asking.
      local cli = c:client { keepalive = { every = 200*ms, timeout = 200*ms } }
      cli:put("k", "v")
      local stop, reads, hidden, lost = false, 0, 0, {}
      local function reader(options)
        while not stop do
          local t = now()
          local value, err = cli:get("k", options)
          expect(value ~= false, "no read error reaches the caller")
          -- Who has just come back may not know yet what was committed: a serializable
          -- read is not an error for being old.
          expect(value == "v" or options.serializable, "nor does an old value, unless asked for so")
          reads = reads + 1
          if now() - t > 50*ms then hidden = hidden + 1 end
          sleep(5*ms)
        end
      end
      spawn(reader, {})
      spawn(reader, { serializable = true })
      spawn(function()
        for i = 1, 1000000 do
          if stop then return end
          local ok, err = cli:put("write" .. i, "once")
          if not ok then
            expect(err.unknown, "a write that was sent may have happened")
            lost[#lost + 1] = "write" .. i
          end
          sleep(5*ms)
        end
      end)
      for round = 1, 5 do
        local victim, how = choose(c:followers()), choose { "crash", "power", "pause" }
        common.fail(c, victim, how)
        sleep(random() * 1*s)
        common.restore(c, victim, how)
        sleep(500*ms + random() * 500*ms)
      end
      stop = true
      sleep(1*s)
      record("reads", reads)
      record("reads_hidden", hidden)
      record("writes_unknown", #lost)
      sometimes("a read was repeated elsewhere", hidden > 0)
      sometimes("a write was not", #lost > 0)
      for _, key in ipairs(lost) do
        local value, found = cli:get(key)
        expect(value == nil or found.version == 1, "such a write is there once or not at all")
      end
    end,
  }
end

-- What the failed members served, the survivors serve: n / (n - f) times as much each.
for _, n in ipairs { 3, 5, 7 } do
  local share = n / (n - (n - 1) // 2)
  scenario("load on the survivors rises, n=" .. n) {
    claims = { "minority.load-shift" },
    measures = { ["minority.load-shift"] = { "load_ratio", "load_ratio_of_one" } },
    note = "requests move, connections do not: a client holds one to each member it knows; one that knows a single member stays with it",
    seeds = 30,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      common.load(c, { rate = 500, mix = { get = 1 } })
      sleep(2*s)
      local victims = c:minority()
      local survivors = common.others(c, victims)
      local function served()
        local of = {}
        for i, m in ipairs(survivors) do of[i] = m.requests_served end
        return of
      end
      local t0 = served()
      sleep(5*s)
      local t1 = served()
      for _, m in ipairs(victims) do m:crash() end
      sleep(1*s)
      local t2 = served()
      sleep(5*s)
      local t3 = served()
      local before, after = 0, 0
      for i = 1, #survivors do
        before, after = before + t1[i] - t0[i], after + t3[i] - t2[i]
        expect(t1[i] > t0[i] and t3[i] - t2[i] > t1[i] - t0[i], "each survivor serves more")
        record("load_ratio_of_one", (t3[i] - t2[i]) / (t1[i] - t0[i]))
      end
      record("load_ratio", after / before)
    end,
    expect = {
      { stat = "mean", of = "load_ratio", near = share, within = 0.1 },
      { stat = "mean", of = "load_ratio_of_one", near = share, within = 0.1 },
      { stat = "max", of = "load_ratio_of_one", max = share * 1.25 },
    },
  }
end
