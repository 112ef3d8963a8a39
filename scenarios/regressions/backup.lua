-- A learner refuses nearly everything, and is backed up like any other member.
scenario "backup: of a learner" {
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
