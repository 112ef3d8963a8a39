-- A store that reaches its quota takes no more until somebody has made room and cleared
-- the alarm; everything else goes on.
scenario "quota: full is said, reads and deletions go on, room is made" {
  tags = { "quota" }, seeds = 10,
  cluster = { members = 3, quota = 64*KiB, snapshot_entries = 50, catchup_entries = 10 },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    local lease = cli:grant(60*s)
    local count, err, ok = 0
    repeat
      count = count + 1
      ok, err = cli:put("k" .. count, string.rep("v", 1000))
    until not ok or count > 200
    expect(not ok and err.code == "no space", "the quota is held")
    expect(not err.unknown, "and the write for sure not made")
    eventually(function() return #cli:alarms() > 0 end, { within = 5*s })
    expect(cli:alarms()[1].alarm == "no space", "the alarm says which")
    -- While it is on nothing is added, however small and whoever is asked.
    for _, m in ipairs(c:members()) do
      local there = c:client { endpoints = { m } }
      local done, why = there:put("small", "")
      expect(not done and why.code == "no space", "nobody takes more")
      done, why = there:txn { success = { { "put", "a", "b" } } }
      expect(not done and why.code == "no space", "nor in a transaction")
      done, why = there:grant(5*s)
      expect(not done and why.code == "no space", "nor a lease")
      expect(there:get("k1") ~= nil, "reads are served")
      expect(there:txn { success = { { "get", "k1" } } }, "transactions that only read as well")
    end
    expect(lease:keepalive(), "leases are kept alive")
    -- An alarm outlives a change of leader, a crash and a snapshot.
    local old = c:leader()
    old:crash()
    c:await_leader { other_than = old, within = 20*s }
    old:restart()
    expect(#cli:alarms() > 0, "the next leader knows")
    local revision = cli:delete("k", "l")
    expect(revision, "deletions are made")
    expect(cli:compact(revision), "and compaction")
    sleep(500*ms)
    expect(cli:disarm(), "cleared")
    eventually(function() return cli:put("again", "v") end, { within = 10*s })
    expect(#cli:alarms() == 0, "no alarm is left")
  end,
}

-- Who was away when it was raised learns of the alarm by a snapshot, and refuses with the
-- others: else it would take what they do not.
scenario "quota: an alarm comes with a snapshot" {
  tags = { "quota", "snapshot" }, seeds = 10,
  cluster = { members = 3, quota = 64*KiB, snapshot_entries = 20, catchup_entries = 2 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local m = choose(c:followers())
    local cli = c:client { endpoints = { leader } }
    c:isolate(m)
    local count, ok = 0, nil
    repeat
      count = count + 1
      ok = cli:put("k" .. count, string.rep("v", 1000))
    until not ok or count > 200
    eventually(function() return #cli:alarms() > 0 end, { within = 5*s })
    for i = 1, count do cli:delete("k" .. i) end
    expect(cli:compact(cli:delete("k")), "room is made")
    sleep(1*s)
    c:heal()
    c:await_converged { within = 20*s }
    local there = c:client { endpoints = { m } }
    expect(#there:alarms() > 0, "it knows")
    for _, each in ipairs { cli, there } do
      local done, err = each:put("small", "v")
      expect(not done and err.code == "no space", "nobody takes more")
    end
    sleep(1*s)
    expect(cli:disarm() and cli:put("again", "v"), "cleared")
  end,
}

-- Members that agree are not accused of anything.
scenario "quota: stores are compared under load and found equal" {
  tags = { "corrupt" }, seeds = 10,
  cluster = { members = 3, corrupt_check = 500*ms, snapshot_entries = 30, catchup_entries = 10 },
  run = function(c)
    c:await_leader { within = 10*s }
    c:load { clients = 4, rate = 100, mix = { put = 2, delete = 1, lease = 2, txn = 1 }, keys = 20 }
    local cli = c:client()
    for round = 1, 6 do
      sleep(random() * 1*s)
      local m = choose(c:members())
      m:crash()
      sleep(random() * 1*s)
      m:restart()
      local revision = cli:status(c:await_leader { within = 20*s })
      if revision then cli:compact(revision.revision - random(0, 20)) end
    end
    expect(#cli:alarms() == 0, "nobody differs")
  end,
}

-- The same without the judge who knows every store: what members find out by themselves.
scenario "quota: members would find a difference by themselves" {
  tags = { "corrupt" }, seeds = 10,
  cluster = { members = 3, corrupt_check = 200*ms },
  checks = { store = false, history = false, durability = false, watch = false, progress = false },
  run = function(c)
    c:await_leader { within = 10*s }
    c:load { clients = 4, rate = 100, mix = { put = 3, delete = 1, lease = 2, txn = 1 }, keys = 20 }
    local cli = c:client()
    for round = 1, 5 do
      sleep(1*s)
      expect(#cli:alarms() == 0, "nobody differs")
    end
  end,
}

-- An operator restores one member from an older backup than the rest. Nothing in the
-- log says so; the comparison of stores does, and no key is served any more.
scenario "quota: a member restored from another backup is found out" {
  tags = { "corrupt", "disaster" }, seeds = 10, tolerance = "lossy",
  cluster = { members = 3, corrupt_check = 500*ms },
  checks = { store = false, history = false, durability = false, watch = false, progress = false },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    for i = 1, 10 do cli:put("k" .. i, "old") end
    local old = c:backup(c[1])
    for i = 1, random(1, 10) do cli:put("k" .. i, "new") end
    local new = c:backup(c[1])
    for _, m in ipairs(c:members()) do m:crash() end
    local odd = random(3)
    expect(c:restore(new, { members = { 1, 2, 3 }, member = { [odd] = old } }), "restored")
    local there = c:client()
    local alarms
    eventually(function()
      there:put("more", "v")
      alarms = there:alarms()
      return alarms and #alarms > 0
    end, { within = 20*s })
    expect(alarms[1].alarm == "corrupt", "the alarm says which")
    local done, why = there:put("k", "v")
    expect(not done and why.code == "corrupt cluster", "no key is written")
    done, why = there:get("k1")
    expect(done == false and why.code == "corrupt cluster", "nor read")
    expect(there:disarm(), "an operator may clear it")
  end,
}
