-- "When the majority members of the cluster fail, the etcd cluster fails and cannot
-- accept more writes. The etcd cluster can only recover from a majority failure once
-- the majority of members become available. […] Once the majority of members works,
-- the etcd cluster elects a new leader automatically and returns to a healthy state.
-- The new leader extends timeouts automatically for all leases. This mechanism
-- ensures no lease expires due to server side unavailability."

local E = 1*s
local REQUEST_TIMEOUT = 5*s + 2*E

-- q members, with the leader among them or not.
local function victims(c, with_leader)
  local leader, list = c:leader(), {}
  local need = #c:members() - #c:minority() -- q
  if with_leader then list[1] = leader end
  for _, m in ipairs(shuffle(c:followers())) do
    if #list < need then list[#list + 1] = m end
  end
  return list
end

for _, n in ipairs { 3, 5, 7 } do
  scenario("a failed majority stops writes, n=" .. n) {
    claims = { "majority.no-writes", "majority.recovers" },
    seeds = 20,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      local cli = c:client()
      expect(cli:put("k", "before"))
      local with_leader = choose { true, false }
      local down = victims(c, with_leader)
      local leader = c:leader()
      for _, m in ipairs(down) do
        if random(2) == 1 then m:crash() else m:power_off() end
      end
      local failed_at = now()
      local survivor
      for _, m in ipairs(c:members()) do
        if m.alive then survivor = m end
      end
      local alone = c:client { endpoints = { survivor }, timeout = 2*REQUEST_TIMEOUT }
      local committed = survivor.commit
      local t = now()
      local ok, err = alone:put("k", "during")
      expect(ok == false, "a write finds no quorum")
      expect(now() - t <= REQUEST_TIMEOUT + 1*s, "and its caller is told within the request timeout")
      record("write_error_after", now() - t)
      ok, err = alone:put("k", "later still")
      expect(ok == false, "nor does a later one")
      local read, read_err = c:client { endpoints = { survivor }, timeout = 3*s }:get("k")
      expect(read == false, "a linearizable read needs a quorum too")
      expect(alone:get("k", { serializable = true }) ~= nil, "a serializable one is answered from the member's own store")
      expect(survivor.role ~= "leader", "who led steps down")
      -- One short of a quorum for however long: nothing happens.
      sleep(choose { 1*s, 10*s, 1*min })
      expect(c:leader() == nil, "nobody leads")
      expect(survivor.commit <= committed + 1, "and nothing commits")
      -- The q-th member brings it back, by itself.
      local back = shuffle(down)
      back[1]:restart()
      local q_at = now()
      c:await_leader { within = 30*s }
      record("recovery_time", now() - q_at)
      -- A write over a connection to who lost its power waits in vain for its deadline.
      eventually(function() return cli:put("k", "after") end, { within = 2*min })
      for i = 2, #back do
        back[i]:restart()
        sleep(random() * 1*s)
      end
    end,
    expect = { { stat = "median", of = "recovery_time", max = 2.5 } },
  }
end

-- No lease goes during an outage, however long; each gets its whole time anew after.
scenario "no lease expires while there is no majority" {
  claims = { "majority.lease-kept" },
  seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    local kept, left = cli:grant(3*s), cli:grant(3*s)
    -- A client library gives up at its own deadline (etcd-behaviour §5); this client
    -- asks for as long as it lives, and is answered when there is somebody to answer.
    local stop = false
    spawn(function()
      while not stop do
        kept:keepalive()
        sleep(500*ms)
      end
    end)
    cli:put("kept", "1", { lease = kept })
    cli:put("left", "1", { lease = left })
    sleep(1*s)
    for _, m in ipairs(victims(c, choose { true, false })) do m:crash() end
    local watcher
    for _, m in ipairs(c:members()) do
      if m.alive then watcher = c:client { endpoints = { m } } end
    end
    sleep(40*s) -- More than ten times the TTL.
    expect(watcher:get("kept", { serializable = true }) == "1", "still there")
    expect(watcher:get("left", { serializable = true }) == "1", "this one as well")
    for _, m in ipairs(c:members()) do
      if not m.alive then m:restart() end
    end
    c:await_leader { within = 30*s }
    local t = now()
    eventually(function() return cli:get("left") == nil end, { within = 20*s, every = 50*ms })
    record("left_gone_after", now() - t)
    expect(now() - t > 3*s, "the new leader gave it its whole TTL")
    expect(cli:get("kept") == "1", "and the one that is kept alive lives")
    stop = true
  end,
}

-- Everybody at once, and the disks lose what was not synced.
scenario "all members lose power and return one by one" {
  claims = { "several.at-once", "majority.recovers" },
  seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    c:load { clients = 8, rate = 200, mix = { put = 1, get = 1 } }
    sleep(2*s + random() * 1*s)
    for _, m in ipairs(c:members()) do m:power_off() end
    sleep(1*s)
    for _, m in ipairs(shuffle(c:members())) do
      m:restart()
      sleep(random() * 2*s)
    end
    c:await_leader { within = 30*s }
    sleep(2*s)
  end,
}
