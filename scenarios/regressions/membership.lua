-- Who joins is needed for the quorum at once. The newest snapshot is from before it was
-- a member and does not name it, the log begins after that one, and nothing more can be
-- committed without it: the leader must have a newer snapshot for it.
scenario "membership: the second member joins behind a snapshot" {
  tags = { "membership", "snapshot" }, seeds = 20,
  cluster = { members = 1, snapshot_entries = 10, catchup_entries = 2 },
  run = function(c)
    local cli = c:client()
    for i = 1, 25 + random(10) do expect(cli:put("k" .. i, "v"), "one serves alone") end
    local two = c:add_member { within = 30*s }
    expect(two, "the second is taken in")
    eventually(function() return two.applied >= c:leader().commit end, { within = 10*s })
    expect(c:client():put("k", "both"), "and both serve")
  end,
}

-- One votes and two learn. What a founding member finds in its log after a restart it
-- applies from the first entry on, and without a voter there is no configuration.
scenario "membership: learners of a new cluster start again" {
  tags = { "membership", "learner" }, seeds = 20,
  cluster = { members = 1, learners = 2 },
  run = function(c)
    c:await_healthy { within = 10*s }
    for _, m in ipairs(c:members()) do
      m:crash()
      m:restart()
    end
    c:await_healthy { within = 20*s }
    expect(c:client():put("k", "v"), "and serve")
  end,
}

-- An address that nobody has: what is sent there is lost, and no more.
scenario "membership: a member's new address is nobody's" {
  tags = { "membership", "update" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local m = choose(c:followers())
    expect(c:update_member(m, "http://nowhere:1"), "the operator errs")
    sleep(3*s)
    local others = {}
    for _, other in ipairs(c:members()) do
      if other ~= m then others[#others + 1] = other end
    end
    expect(c:client { endpoints = others }:put("k", "v"), "two of three go on")
    -- Whoever asks the one that nobody reaches is not answered: ask again.
    local is_right = false
    while not is_right do is_right = c:update_member(m, "http://m" .. m.id .. ":2380") end
    c:await_healthy { within = 20*s }
  end,
}

-- A snapshot that names who joined is made when it is asked for, and not for every change.
scenario "membership: who leaves needs no snapshot" {
  tags = { "membership", "snapshot" }, seeds = 20,
  cluster = { members = 4, snapshot_entries = 50, catchup_entries = 5 },
  run = function(c)
    local cli = c:client()
    for i = 1, 60 do expect(cli:put("k" .. i, "v"), "put") end
    sleep(6*s)
    local made = 0
    at("snapshot", function() made = made + 1 end)
    expect(c:remove_member(c:followers()[1]), "one goes")
    sleep(2*s)
    expect(made == 0, "nobody needs one for that")
    expect(c:add_member { within = 20*s }, "one comes, whom no snapshot names")
    sometimes("one was made for it", made > 0)
  end,
}

-- The only member died with the change in its log and answered nobody. Back again it makes
-- the change, which takes away its quorum: whoever asked has to learn that from a member
-- that cannot confirm it, and start the second. Found by swarm/everything.lua, seed 5682.
scenario "membership: the second member of a cluster whose first died before it answered" {
  tags = { "membership" }, seeds = 20,
  cluster = { members = 1 },
  run = function(c)
    local only = c:await_leader { within = 10*s }
    expect(c:client():put("k", "v"))
    local two
    spawn(function() two = c:add_member { within = 30*s } end)
    at("after:sync", { member = only, nth = 1 }, function()
      only:crash()
      spawn(function()
        sleep(random(10.0, 40.0))
        only:restart()
      end)
    end)
    eventually(function() return two end, { within = 5*min })
    expect(c:client():put("k", "both"), "and both serve")
  end,
}
