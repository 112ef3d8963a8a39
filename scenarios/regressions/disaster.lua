-- A learner refuses nearly everything, and is backed up like any other member.
scenario "disaster: a learner is backed up" {
  tags = { "backup", "learner" }, seeds = 20, tolerance = "lossy",
  cluster = { members = 3, learners = 1 },
  run = function(c)
    c:await_healthy { within = 20*s }
    c:load { clients = 3, rate = 100, mix = { put = 1, lease = 1 } }
    sleep(3*s)
    local backup = c:backup(c[4])
    expect(backup and backup.revision > 0, "it answers with what it has")
    for _, m in ipairs(c:members()) do
      m:power_off()
      m:wipe()
    end
    expect(c:restore(backup, { members = { 1, 2, 3 } }), "and that restores")
    c:await_healthy { within = 30*s }
  end,
}

local everything = { put = 1, get = 1, range = 1, delete = 1, txn = 1, watch = 1, lease = 1, lock = 1 }

-- Clients that go on over a restore use leases from before it, and go on with watches
-- from revisions of before it.
scenario "disaster: clients go on over two restores" {
  tags = { "backup", "restore" }, seeds = 20, tolerance = "lossy",
  cluster = { members = 3 },
  run = function(c)
    c:await_healthy { within = 20*s }
    c:load { clients = 3, rate = 100, mix = everything }
    for _ = 1, 2 do
      sleep(3*s)
      local backup = c:backup(choose(c:members()))
      for _, m in ipairs(c:members()) do
        m:power_off()
        m:wipe()
      end
      local bump = random(2) == 1 and 100 or 0
      expect(c:restore(backup, { members = { 1, 2, 3 }, bump_revision = bump }), "restored")
      c:await_healthy { within = 30*s }
    end
  end,
}

-- The same where one survivor goes on alone from its snapshot. The operator, too, has
-- connections to machines that lost their power.
scenario "disaster: clients go on with a survivor" {
  tags = { "force" }, seeds = 20, tolerance = "lossy",
  cluster = { members = 3, snapshot_entries = 30, catchup_entries = 5 },
  run = function(c)
    c:await_healthy { within = 20*s }
    c:load { clients = 3, rate = 100, mix = everything }
    sleep(3*s)
    for _, m in ipairs(c:members()) do m:power_off() end
    c[2]:wipe()
    c[3]:wipe()
    expect(c:force_new_cluster(c[1]), "forced")
    expect(c:add_member { on = c[2], within = 20*s }, "and grows")
    sleep(3*s)
  end,
}
