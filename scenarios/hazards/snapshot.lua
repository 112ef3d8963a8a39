-- Snapshots under fire: who lags beyond the log that is kept is sent one in chunks,
-- and each step of making, sending and taking it in may be the last of a process.

local function work(c)
  return c:load { clients = 4, rate = 60, mix = { put = 1 }, keys = 50, value = 500 }
end

-- Let one member fall behind by more than the log keeps.
local function lag(c, m)
  m:crash()
  sleep(1*s)
  m:restart()
end

scenario "snapshot: a follower dies at each step of taking one in" {
  tags = { "snapshot", "crash" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 30, catchup_entries = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    sleep(1*s)
    local steps = { "receive MsgSnap", "after:receive MsgSnap", "receive SnapshotChunk", "after:receive SnapshotChunk",
                    "before:sync snap", "after:sync snap", "before:rename snap", "after:rename snap",
                    "before:append Snapshot", "after:append Snapshot", "snapshot" }
    for _, step in ipairs(shuffle(steps)) do
      local victim, struck = choose(c:followers()), false
      at(step, { member = victim, nth = 1 }, function(m)
        if not struck then
          struck = true
          if random(2) == 1 then m:crash() else m:power_off() end
        end
      end)
      if victim.alive then lag(c, victim) end
      sleep(1*s)
      struck = true
      for _, m in ipairs(c:members()) do
        if not m.alive then m:restart() end
      end
      c:await_leader { within = 10*s }
    end
  end,
}

scenario "snapshot: the sender goes while it is on its way" {
  tags = { "snapshot", "leader" }, seeds = 20,
  cluster = { members = 5, snapshot_entries = 30, catchup_entries = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    for round = 1, 4 do
      sleep(1*s)
      local victim, struck = choose(c:followers()), false
      at("send SnapshotChunk", { nth = random(1, 3) }, function(m)
        if not struck then
          struck = true
          m:crash()
        end
      end)
      lag(c, victim)
      sleep(2*s)
      struck = true
      for _, m in ipairs(c:members()) do
        if not m.alive then m:restart() end
      end
      c:await_leader { within = 10*s }
    end
  end,
}

-- Two laggards at once, and cuts that lose the second half of what was under way.
scenario "snapshot: two are under way and the network cuts them off" {
  tags = { "snapshot", "partition" }, seeds = 20,
  cluster = { members = 5, snapshot_entries = 30, catchup_entries = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    for round = 1, 4 do
      sleep(500*ms)
      local a, b = c:followers()[1], c:followers()[2]
      a:crash()
      b:crash()
      sleep(1*s)
      a:restart()
      b:restart()
      sleep(random() * 50*ms)
      c:isolate(choose { a, b })
      sleep(random() * 2*s)
      c:heal()
      sleep(1*s)
    end
    c:await_converged { within = 30*s }
  end,
}

-- The next leader knows nothing of a snapshot that is being installed, and sends its own.
scenario "snapshot: another one comes while one is being installed" {
  tags = { "snapshot", "disk", "failover" }, seeds = 20,
  cluster = { members = 5, election = 300*ms, heartbeat = 50*ms, snapshot_entries = 20, catchup_entries = 2 },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    c:load { clients = 2, rate = 200, mix = { put = 1 }, keys = 20 }
    for _ = 1, 3 do
      local m = choose(c:followers())
      c:isolate(m)
      sleep(1*s)
      c:heal()
      local stalled = false
      at("after:receive SnapshotChunk", { member = m }, function()
        if stalled then return end
        stalled = true
        m:disk { stall = 4*s }
        spawn(function()
          sleep(random(0.0, 0.2))
          local old = c:leader()
          if not old then return end
          old:pause()
          sleep(2*s)
          old:resume()
        end)
      end)
      sleep(6*s)
      c:await_leader { within = 10*s }
    end
    eventually(function() return (cli:put("a", "1")) end, { within = 20*s, every = 100*ms })
  end,
}
