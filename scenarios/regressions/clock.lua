-- A tick longer than a clock has shown since its beginning: the first one never came.
-- Found by research/commit.lua.
scenario "clock: a tick may be longer than the machine is old" {
  tags = { "clock" }, seeds = 20, limit = 500*hour,
  cluster = { members = 3, heartbeat = 2*hour, election = 20*hour },
  run = function(c)
    c:await_leader { within = 100*hour }
    expect(c:client():put("k", "v"))
  end,
}
