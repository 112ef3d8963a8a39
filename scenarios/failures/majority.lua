-- "When the majority members of the cluster fail, the etcd cluster fails and cannot
-- accept more writes. The etcd cluster can only recover from a majority failure once
-- the majority of members become available. If a majority of members cannot come back
-- online, then the operator must start disaster recovery to recover the cluster. Once
-- a majority of members works, the etcd cluster elects a new leader automatically and
-- returns to a healthy state. The new leader extends timeouts automatically for all
-- leases. This mechanism ensures no lease expires due to server side unavailability."

local common = require "common"
local E, REQUEST_TIMEOUT = common.E, common.REQUEST_TIMEOUT

-- q members, with the leader among them or not.
local function victims(c, with_leader)
  local list = with_leader and { c:leader() } or {}
  local q = #c:members() - #c:minority()
  for _, m in ipairs(shuffle(c:followers())) do
    if #list < q then list[#list + 1] = m end
  end
  return list
end

for _, n in ipairs { 3, 5, 7 } do
  scenario("a failed majority stops writes, n=" .. n) {
    claims = { "majority.no-writes", "majority.recovers" },
    measures = {
      ["majority.no-writes"] = { "write_error_after", "step_down_time" },
      ["majority.recovers"] = { "recovery_time", "commits_after", "outage" },
    },
    note = "what was in the logs of a quorum by then is still committed, in the acknowledgements under way",
    seeds = 100,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      local l = common.load(c)
      sleep(2*s + random() * 1*s)
      local leader, with_leader = c:leader(), choose { true, false }
      local down = victims(c, with_leader)
      local left = common.others(c, down)
      local stepped_down
      when(function(m) return m == leader and m.role ~= "leader" end, function() stepped_down = stepped_down or now() end)
      for _, m in ipairs(down) do common.fail(c, m, choose { "crash", "power" }) end
      local t, last = now(), 0
      for _, m in ipairs(c:members()) do last = math.max(last, m.last_index) end

      local survivor = choose(left)
      local alone = c:client { endpoints = { survivor }, timeout = 2*REQUEST_TIMEOUT }
      local write, at_once = alone:async("put", "during", "x"), now()
      local ok, err = c:client { endpoints = { survivor }, timeout = 3*s }:get("k1")
      expect(ok == false, "a linearizable read needs a quorum too")
      local value, why = alone:get("k1", { serializable = true })
      expect(value ~= false, "a serializable one is answered from the member's own store")
      ok, err = write:await()
      expect(ok == false, "a write finds no quorum")
      expect(now() - at_once <= REQUEST_TIMEOUT + 100*ms, "and its caller is told within the request timeout")
      record("write_error_after", now() - at_once)
      if not with_leader then
        expect(stepped_down and stepped_down - t <= 2*E + 10*ms, "who led steps down")
        record("step_down_time", stepped_down - t)
      end
      l:stop()

      -- One short of a quorum for however long: nothing happens.
      local outage = choose { 1*s, 10*s, 1*min, 10*min, 1*hour }
      record("outage", outage)
      sleep(outage)
      expect(c:leader() == nil, "nobody leads")
      for _, m in ipairs(left) do expect(m.commit <= last, "and nothing that came later commits") end

      -- The q-th member brings it back, by itself; the others come in any order.
      local back = shuffle(down)
      back[1]:restart()
      local q_at, committed = now(), nil
      at("commit", {}, function(m) if m.role == "leader" then committed = committed or now() end end)
      c:await_leader { within = 60*s }
      record("recovery_time", now() - q_at)
      eventually(function() return committed end, { within = 10*s })
      record("commits_after", committed - q_at)
      eventually(function() return c:client { endpoints = { survivor } }:put("k", "after") end, { within = 2*min })
      for i = 2, #back do
        back[i]:restart()
        sleep(random() * 1*s)
      end
      sometimes("the leader is among the failed", with_leader)
      sometimes("the leader is left", not with_leader)
    end,
    expect = { { stat = "median", of = "commits_after", max = 2.5 } },
  }

  -- Members that hang rather than die, and come back while nobody noticed.
  scenario("a majority hangs and goes on, n=" .. n) {
    claims = { "majority.no-writes", "majority.recovers" },
    measures = { ["majority.no-writes"] = {}, ["majority.recovers"] = { "recovery_time" } },
    seeds = 30,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      local l = common.load(c)
      sleep(1*s)
      local down = victims(c, choose { true, false })
      local left = common.others(c, down)
      for _, m in ipairs(down) do m:pause() end
      local last = 0
      for _, m in ipairs(c:members()) do last = math.max(last, m.last_index) end
      sleep(choose { 3*s, 10*s, 30*s })
      for _, m in ipairs(left) do expect(m.commit <= last, "nothing that came later commits") end
      expect(c:leader() == nil, "nobody leads")
      l:stop()
      for _, m in ipairs(shuffle(down)) do m:resume() end
      local t = now()
      c:await_healthy { within = 60*s }
      record("recovery_time", now() - t)
    end,
  }

  -- No lease goes during an outage, however long; each gets its whole time anew after.
  scenario("no lease expires while there is no majority, n=" .. n) {
    claims = { "majority.lease-kept" },
    measures = { ["majority.lease-kept"] = { "left_gone_after_promotion", "lease_margin" } },
    note = "a client library gives up on its lease at its own deadline, though the servers keep it; and a dead "
      .. "client's lease is kept as well, by each outage anew",
    seeds = 50,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      common.load(c, { rate = 20 })
      local ttl = choose { 2*s, 5*s, 60*s }
      local cli = c:client { keepalive = { every = 1*s, timeout = 1*s } }
      local kept, left = cli:grant(ttl), cli:grant(ttl)
      -- Asks for as long as it lives, and is answered when there is somebody to answer.
      local stop = false
      spawn(function()
        while not stop do
          kept:keepalive()
          sleep(ttl / 6)
        end
      end)
      cli:put("kept", "1", { lease = kept })
      cli:put("left", "1", { lease = left })
      sleep(random() * 1*s)
      local down = victims(c, choose { true, false })
      local revoked, promoted = 0, nil
      at("apply Revoke", {}, function() revoked = revoked + 1 end)
      for _, m in ipairs(down) do
        common.fail(c, m, m == c:leader() and choose { "crash", "power" } or choose { "crash", "power", "pause" })
      end
      local watcher = c:client { endpoints = { choose(common.others(c, down)) } }
      sleep(10 * ttl + random() * 10*s)
      expect(revoked == 0, "no lease goes")
      expect(watcher:get("kept", { serializable = true }) == "1", "this one is still there")
      expect(watcher:get("left", { serializable = true }) == "1", "that one as well")
      at("promote", {}, function() promoted = now() end)
      for _, m in ipairs(shuffle(down)) do
        if m.paused then m:resume() else m:restart() end
      end
      c:await_leader { within = 60*s }
      eventually(function() return promoted end, { within = 10*s })
      -- Everybody's store knows at once; a client may have to find somebody who answers.
      eventually(function() return cli:get("left") == nil end, { within = 3 * ttl + 30*s, every = 50*ms })
      record("left_gone_after_promotion", now() - promoted)
      expect(now() - promoted >= E + ttl, "the new leader gave it its whole TTL, and E more")
      expect(cli:get("kept") == "1", "and the one that is kept alive lives")
      record("lease_margin", c:lease_margin())
      stop = true
    end,
  }
end

-- The exact truth about hanging: it is the new leader that extends leases. One that
-- hung with its quorum, so that nobody could replace it, goes on where it was; its
-- clock has run, and leases have run out that nobody was able to renew.
scenario("a leader that hangs with its quorum extends nothing") {
  claims = { "majority.lease-kept" },
  measures = { ["majority.lease-kept"] = { "gone_after_hanging" } },
  note = "a leader that hangs together with a quorum and goes on before it was replaced is no new leader: leases "
    .. "whose TTL has passed on its clock go, though nobody could have renewed them",
  seeds = 50,
  cluster = { members = 5 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local cli = c:client()
    local lease = cli:grant(3*s)
    cli:put("left", "1", { lease = lease })
    sleep(random() * 1*s)
    local promoted, revoked = false, false
    at("promote", {}, function() promoted = true end)
    at("apply Revoke", {}, function() revoked = true end)
    local down = victims(c, true)
    for _, m in ipairs(down) do m:pause() end
    sleep(10*s + random() * 10*s)
    expect(not revoked, "during it, no lease goes")
    for _, m in ipairs(down) do m:resume() end
    local t = now()
    eventually(function() return revoked end, { within = 30*s, every = 10*ms })
    record("gone_after_hanging", now() - t)
    expect(not promoted or now() - t >= E + 3*s, "who was replaced has extended it")
    sometimes("the lease goes at once, by the leader that hung", not promoted)
  end,
}
