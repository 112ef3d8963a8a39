-- The network has delays of any shape and may lose, double, overtake and corrupt.
scenario "example: a bad network is slow, not wrong" {
  tags = { "example", "network" }, seeds = 20,
  cluster = { members = 3, heartbeat = 200*ms, election = 2*s },
  network = { latency = lognormal(10*ms, 0.5), loss = 0.02, duplicate = 0.02, reorder = 0.1, corrupt = 0.001 },
  run = function(c)
    local load = c:load { clients = 4, rate = 40 }
    sleep(10*s)
    c:link(1, 2, { loss = 0.5 }) -- One direction of one link.
    sleep(10*s)
    sometimes("most calls are answered", load.ok > load.offered * 0.9)
    record("unknown", load.unknown)
  end,
}
