-- What a network may do to frames: lose them, double them, let them overtake, flip
-- their bits, carry only so many bytes a second. Raft lives with all of it; a stream
-- that lost something is broken, and both ends hear of it.

local function work(c)
  return c:load { clients = 4, rate = 100, keys = 20 }
end

-- The busiest link of the cluster has carried something through.
local function flows(load, seconds)
  local before = load.ok
  sleep(seconds)
  return load.ok > before
end

scenario "network: flipped bits never become another message" {
  tags = { "network", "corrupt" }, seeds = 50,
  cluster = { members = 3, snapshot_entries = 50, catchup_entries = 10 },
  network = { corrupt = 0.02 },
  run = function(c)
    local load = work(c)
    sleep(2*s)
    local m = choose(c:members())
    m:crash()
    sleep(2*s)
    m:restart()
    sometimes("answers come through", flows(load, 5*s))
    c:network { corrupt = 0.3 } -- A bad cable: nearly everything a stream carries breaks it.
    sleep(5*s)
  end,
}

scenario "network: what comes late by more than an election changes nothing" {
  tags = { "network", "reorder" }, seeds = 30,
  cluster = { members = 5, snapshot_entries = 30, catchup_entries = 5 },
  network = { latency = lognormal(40*ms, 1.6), reorder = 0.5, duplicate = 0.3, loss = 0.02 },
  run = function(c)
    local load = work(c)
    for _ = 1, 4 do
      sleep(random(2.0, 8.0))
      local m = choose(c:members())
      m:pause()
      sleep(random(0.5, 4.0))
      m:resume()
    end
    sometimes("answers come through", load.ok > 100)
  end,
}

scenario "network: a narrow link takes its time and stays in order" {
  tags = { "network", "bandwidth" }, seeds = 20,
  cluster = { members = 3 },
  network = { latency = 1*ms, bandwidth = 1*MiB },
  run = function(c)
    c:await_healthy { within = 10*s }
    local cli, began = c:client(), now()
    expect(cli:put("big", string.rep("x", 512*KiB)))
    -- To the member and on to a follower: half a second each.
    expect(now() - began > 500*ms and now() - began < 3*s, "512 KiB take half a second a link")
    expect(cli:get("big") == string.rep("x", 512*KiB))
    work(c)
    sleep(5*s)
    c:network { bandwidth = 20*KiB, queue = 32 }
    sleep(5*s)
    c:network { bandwidth = 1*MiB, queue = 4096 }
  end,
}

scenario "network: a watch knows when its stream was cut" {
  tags = { "network", "watch" }, seeds = 30,
  cluster = { members = 3 },
  run = function(c)
    c:await_healthy { within = 10*s }
    local reader, writer = c:client { endpoints = { 1 } }, c:client { endpoints = { 2 } }
    local watch = reader:watch("k")
    writer:put("k", 0)
    expect(watch:next { within = 5*s }.value == "0")
    c:cut(1, reader)
    for i = 1, 5 do expect(writer:put("k", i)) end
    sleep(random(0.0, 2.0))
    c:heal()
    writer:put("k", 6)
    for i = 1, 6 do
      expect(watch:next { within = 20*s }.value == tostring(i), "what the cut has lost is told again")
    end
  end,
}

scenario "network: a reset after a cut comes before the next answer" {
  tags = { "network", "partition" }, seeds = 30,
  cluster = { members = 3 },
  run = function(c)
    c:await_healthy { within = 10*s }
    local cli = c:client { endpoints = { 1 } }
    expect(cli:put("k", "before"))
    c:partition({ 1 }, { cli })
    sleep(random(0.1, 20.0))
    c:heal()
    local began = now()
    expect(cli:get("k") == "before")
    expect(now() - began < 2*s, "a broken connection is noticed at its first use")
  end,
}
