-- A founding member heard of a leader and gave its name away before its disk had taken its
-- log. It died, came back with nothing, and was refused for good: the others knew the name.
-- Found by swarm/everything.lua, seed 19985.
scenario "bootstrap: nobody has a name before it has a log" {
  tags = { "bootstrap", "disk" }, seeds = 20,
  cluster = { members = 3, start = "none" },
  run = function(c)
    local slow = c[3]
    slow:disk { stall = 20*s }
    spawn(function() c:bootstrap() end)
    c:await_leader { within = 20*s }
    sleep(random(2.0, 8.0))
    slow:crash()
    sleep(1*s)
    slow:restart()
    eventually(function() return slow.commit > 3 end, { within = 30*s })
    c:await_healthy { within = 1*min }
    expect(slow.alive, "and stays")
  end,
}
