-- What was done to a real etcd, done to this one: same sizes, same ticks, pre-vote off
-- as it was there unless a name says otherwise. tests/calibration/calibrate.c compares
-- what is recorded here, in seconds, with what was measured there.
-- A loopback, and a disk that syncs in a millisecond or two.
local network = { latency = { 0.05*ms, 0.3*ms } }

for _, how in ipairs {
  { name = "election, n=3", n = 3, pre_vote = false },
  { name = "election, n=5", n = 5, pre_vote = false },
  { name = "election, n=5, pre-vote", n = 5, pre_vote = true },
} do
  scenario(how.name) {
    seeds = 1000,
    network = network,
    cluster = { members = how.n, pre_vote = how.pre_vote },
    run = function(c)
      c:await_leader { within = 30*s }
      sleep(1*s + random() * 1*s)
      local old = c:leader()
      local cli = c:client { endpoints = { choose(c:followers()) } }
      expect(cli:put("before", "1"))
      old:crash()
      local t, term = now(), old.term
      spawn(function()
        local ok, err = cli:put("in flight", "1")
        record("put_at_kill", now() - t)
        expect(not ok and err.unknown, "the write in flight ends in a timeout")
      end)
      local new = c:await_leader { other_than = old, within = 5*min }
      record("kill_to_leader", now() - t)
      record("terms", new.term - term)
      expect(c:client { endpoints = { new } }:put("after", "1"))
      record("kill_to_write", now() - t)
    end,
  }
end

for _, how in ipairs { "none", "follower", "leader" } do
  scenario("lease, " .. how .. " killed") {
    seeds = 1000,
    network = network,
    cluster = { members = 3, pre_vote = false },
    run = function(c)
      c:await_leader { within = 30*s }
      sleep(1*s + random() * 1*s)
      local cli = c:client()
      local t = now()
      local lease = cli:grant(5*s)
      cli:put("k", "1", { lease = lease })
      local watch = c:client():watch("k")
      local killed = t
      if how ~= "none" then
        spawn(function()
          sleep(t + 3*s - now())
          local victim = how == "leader" and c:leader() or choose(c:followers())
          victim:crash()
          if how == "leader" then
            c:await_leader { other_than = victim, within = 5*min }
            killed = now()
          end
        end)
      end
      repeat local event = watch:next { within = 10*min } until event.type == "delete"
      record("grant_to_delete", now() - t)
      record("leader_to_delete", now() - killed)
    end,
  }
end

-- A new member asks each peer who is in the cluster, and gives one that listens but
-- does not answer yet a second.
for _, how in ipairs { { n = 3, start = 2 }, { n = 5, start = 5 } } do
  scenario("boot, n=" .. how.n .. ", " .. how.start .. " started") {
    seeds = 500,
    network = network,
    cluster = { members = how.n, pre_vote = false, start = "none" },
    run = function(c)
      local only = {}
      for i = 1, how.start do only[i] = i end
      c:bootstrap { only = only }
      local t = now()
      c:await_leader { within = 1*min }
      record("start_to_leader", now() - t)
      eventually(function() return c:client { endpoints = only }:put("k", "1") end, { within = 1*min })
      record("start_to_write", now() - t)
    end,
  }
end

scenario "majority, two followers killed for 20 s" {
  seeds = 100,
  network = network,
  cluster = { members = 3, pre_vote = false },
  run = function(c)
    local leader = c:await_leader { within = 30*s }
    sleep(1*s + random() * 1*s)
    leader = c:leader()
    local cli = c:client { endpoints = { leader }, timeout = 60*s }
    local short, long = cli:grant(5*s), cli:grant(60*s)
    expect(cli:put("k", "1", { lease = short }))
    local down = c:followers()
    for _, m in ipairs(down) do m:crash() end
    local t = now()
    when(function(m) return m == leader and m.leader == nil end, function() record("no_leader_after", now() - t) end)
    local function try(name, at_, call)
      spawn(function()
        sleep(at_)
        local began = now()
        local ok, err = call()
        expect(not ok, "without a majority nothing is done")
        record(name, now() - began)
      end)
    end
    for _, at_ in ipairs { 0, 1*s, 3*s, 5*s, 8*s } do
      try("put_error_after", at_, function() return cli:put("during", "x") end)
      spawn(function()
        sleep(at_)
        local began = now()
        expect(cli:get("k", { serializable = true }) == "1", "a serializable read is answered all along")
        record("serializable_after", now() - began)
      end)
    end
    try("grant_error_after", 8*s, function() return c:client { endpoints = { leader }, timeout = 7*s }:grant(5*s) end)
    sleep(20*s)
    expect(cli:get("k", { serializable = true }) == "1", "no lease has gone")
    for _, m in ipairs(down) do m:restart() end
    eventually(function() return cli:put("after", "1") end, { within = 2*min })
    local first_write = now()
    record("ttl_after", short:ttl())
    -- What the leader had in its log may be committed in the end, there as here.
    record("outage_put_present", cli:get("during") and 1 or 0)
    eventually(function() return cli:get("k") == nil end, { within = 1*min, every = 5*ms })
    record("write_to_lease_gone", now() - first_write)
    long:revoke()
  end,
}

scenario "leader stopped for 5 s, n=5" {
  seeds = 200,
  network = network,
  cluster = { members = 5, pre_vote = false },
  run = function(c)
    c:await_leader { within = 30*s }
    sleep(1*s + random() * 1*s)
    local old = c:leader()
    local inside = c:client { endpoints = { old }, timeout = 30*s }
    expect(inside:put("k", "before"))
    old:pause()
    local t = now()
    local write = inside:async("put", "stopped", "1")
    spawn(function()
      write:await()
      record("put_to_stopped", now() - t)
    end)
    local new = c:await_leader { other_than = old, within = 5*min }
    record("stop_to_leader", now() - t)
    local other = c:client { endpoints = { new } }
    expect(other:put("k", "during"))
    local term = new.term
    sleep(t + 5*s - now())
    old:resume()
    local cont = now()
    local stale = inside:get("k", { serializable = true })
    record("serializable_stale", stale == "before" and 1 or 0)
    local fresh = inside:get("k")
    record("linearizable_stale", fresh == "before" and 1 or 0)
    eventually(function() return old.leader == c:leader() end, { within = 5*s, every = 1*ms })
    record("cont_to_new_leader", now() - cont)
    sleep(500*ms)
    record("terms_by_rejoin", c:leader().term - term)
    write:await()
  end,
}
