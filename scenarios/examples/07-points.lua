-- at() acts at a point of a member's own work: here between the write of a log entry and
-- the sync that makes it durable. What was not synced may be gone after a power loss.
scenario "example: power fails before the sync" {
  tags = { "example", "power" }, seeds = 50,
  cluster = { members = 3 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local struck = false
    at("before:sync Entry", { member = leader, nth = 3 }, function(m)
      struck = true
      m:power_off()
    end)
    local cli = c:client()
    for i = 1, 5 do cli:put("k" .. i, "v") end
    sometimes("the power failed in time", struck)
    if not leader.alive then leader:restart() end
    c:await_converged { within = 60*s }
  end,
}
