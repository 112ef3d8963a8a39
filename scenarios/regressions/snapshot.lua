-- A leader announced a snapshot and was deposed before its state came. Who waited for the
-- rest made no snapshot of its own any more: as a leader it had none to send, and whoever
-- joined stayed empty for ever. Found by swarm/everything.lua, seed 2808.
scenario "snapshot: nobody waits for one of a leader that is deposed" {
  tags = { "snapshot" }, seeds = 10,
  cluster = {
    members = 3, election = 500*ms, heartbeat = 50*ms, check_quorum = false,
    member = {
      [1] = { snapshot_entries = 10, catchup_entries = 1 },
      [3] = { snapshot_entries = 20, catchup_entries = 1 },
    },
  },
  run = function(c)
    local cli, stale, behind = c:client { endpoints = { 1, 2 } }, c[1], c[3]
    if c:await_leader { within = 10*s } ~= stale then expect(c:move_leader(stale), "the first one leads") end
    expect(cli:put("k", "0"))
    c:isolate(behind)
    for i = 1, 50 do expect(cli:put("k", "1")) end
    sleep(100*ms)
    local is_announced, made = false, 0
    at("receive MsgSnap", { member = behind, nth = 1 }, function()
      is_announced = true
      c:partition({ stale }, { c[2], behind })
    end)
    c:partition({ stale, behind }, { c[2] })
    eventually(function() return is_announced end, { within = 10*s })
    -- The others' leader has all entries: no snapshot is needed any more.
    local new = c:await_leader { other_than = stale, within = 20*s }
    eventually(function() return behind.applied == new.applied end, { within = 10*s })
    c:heal()
    at("snapshot", { member = behind }, function() made = made + 1 end)
    local other = c:client { endpoints = { new, behind } }
    for _ = 1, 60 do expect(other:put("k", "2")) end
    sleep(1*s)
    expect(made > 0, "it makes snapshots of its own")
  end,
}

-- More pieces than the link has room for: whoever is behind must get them all the same.
-- Found by swarm/everything.lua, seed 4681.
scenario "snapshot: larger than a link's queue" {
  tags = { "snapshot", "network" }, seeds = 10,
  cluster = { members = 3, snapshot_entries = 20, catchup_entries = 1 },
  network = { queue = 16 },
  run = function(c)
    local cli, behind = c:client(), choose(c:members())
    c:await_leader { within = 10*s }
    behind:crash()
    for i = 1, 50 do expect(cli:put("k" .. i, ("x"):rep(64*KiB))) end
    behind:restart()
    eventually(function() return behind.alive and behind.applied >= c:leader().commit end, { within = 20*s })
    expect(behind.revision == c:leader().revision, "it has all of it")
  end,
}
