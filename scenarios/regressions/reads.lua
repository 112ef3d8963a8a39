-- Seed: faultline run scenarios/swarm/beyond.lua --seed 22

-- The answer to a read index outlives the process that asked. Its next life must not
-- take it for the answer to a question of its own.
scenario "reads: an answer to an earlier life confirms nothing" {
  tags = { "regression", "read" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local follower = c:followers()[1]
    local writer = c:client { endpoints = { leader } }
    local reader = c:client { endpoints = { follower }, timeout = 5*s }
    expect(writer:put("k", "old"))
    c:await_applied(leader.commit, { on = follower, within = 10*s })

    -- The answer to the first question of this life is under way for a second.
    c:link(leader, follower, { latency = 1*s, reorder = 1.0 })
    local asked = now()
    reader:async("get", "k")
    sleep(random(5, 20) * ms)
    follower:power_off()
    c:link(leader, follower, { latency = 60*ms, reorder = 1.0 })
    follower:restart()
    reader = c:client { endpoints = { follower }, timeout = 5*s }
    reader:get("k", { serializable = true }) -- It is connected; this asks nobody.
    sleep(asked + 1*s - now() - 15*ms)
    -- Just before it comes: a write that the follower has not seen yet, and a question.
    expect(writer:put("k", "new"))
    local value = reader:get("k")
    expect(not value or value == "new", "a read sees what was answered before it")
  end,
}
