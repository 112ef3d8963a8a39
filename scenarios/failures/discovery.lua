-- "Re-bootstrap with a new cluster token or new discovery token": members that find each
-- other through a registry (etcd-behaviour §4.4). Unlike a static bootstrap nobody starts
-- before as many have registered as the token is for.

scenario "discovery: nobody starts before its size has registered" {
  claims = { "bootstrap.all" },
  seeds = 50,
  cluster = { members = 3, start = "none" },
  run = function(c)
    local order = shuffle { 1, 2, 3 }
    c:bootstrap { discovery = "token", only = { order[1], order[2] } }
    sleep(2*s + random() * 20*s)
    expect(c:leader() == nil and c[order[1]].cluster_id == nil, "two of three registered: nobody starts")
    expect(c:discovery():registered("token") == 2, "both are registered")
    c:start(order[3])
    c:await_leader { within = 20*s }
    expect(c:client():put("k", "1"), "the third makes it a cluster")
    c:await_healthy { within = 20*s }
  end,
}

scenario "discovery: a token that is used up refuses the next one" {
  claims = { "bootstrap.all", "bootstrap.anew" },
  seeds = 50,
  cluster = { members = 4, start = "none" },
  run = function(c)
    c:bootstrap { discovery = "token", size = 3, only = { 1, 2, 3 } }
    c:await_leader { within = 20*s }
    c:bootstrap { discovery = "token", only = { 4 } }
    sleep(1*s)
    expect(c[4].exit and c[4].exit:find("cluster is full", 1, true), "the cluster is full")
    expect(c[4].exit:find("generate a new token", 1, true), "and a new token is what it takes")
    -- One that lost its disk and comes back under the token is known to the others.
    c[3]:crash()
    c[3]:wipe()
    c:bootstrap { discovery = "token", only = { 3 } }
    sleep(8*s)
    expect(c[3].exit and c[3].exit:find("has already been bootstrapped", 1, true), "it is not new any more")
    expect(c:client { endpoints = { 1, 2 } }:put("k", "1"), "the cluster serves on")
  end,
}

scenario "discovery: a size that is missing or no number" {
  claims = { "bootstrap.all" },
  seeds = 20,
  cluster = { members = 3, start = "none" },
  run = function(c)
    local size = choose { false, "many", "0", "-3", "", 1000 }
    c:bootstrap { discovery = "token", size = size }
    sleep(1*s)
    for _, m in ipairs(c:members()) do
      local why = size == false and "size key not found" or "size key is bad"
      expect(m.exit and m.exit:find(why, 1, true), "it says so: " .. tostring(m.exit))
    end
  end,
}

scenario "discovery: a registry that cannot be reached is asked again and again" {
  claims = { "bootstrap.all" },
  seeds = 100,
  cluster = { members = 3, start = "none" },
  run = function(c)
    local trouble = random(4)
    c:bootstrap { discovery = "token", only = { 1 } }
    local registry = c:discovery()
    if trouble == 1 then
      registry:crash()
    elseif trouble == 2 then
      registry:pause()
    elseif trouble == 3 then
      c:isolate("discovery")
    else
      c:cut("discovery", choose { 1, 2, 3 })
    end
    c:start(2)
    c:start(3)
    sleep(random() * 60*s)
    expect(trouble == 4 or c:leader() == nil, "without it nobody starts")
    if trouble == 1 then
      registry:restart()
    elseif trouble == 2 then
      registry:resume()
    else
      c:heal()
    end
    c:await_leader { within = 300*s }
    expect(c:client():put("k", "1"), "with it they do")
    c:await_healthy { within = 300*s }
  end,
}

for _, step in ipairs { "configured", "size", "registered", "complete", "probed", "ids", "log", "raft" } do
  scenario("discovery: a member dies at a step of it: " .. step) {
    claims = { "bootstrap.all" },
    tags = { "bootstrap", "crash" },
    seeds = 40,
    cluster = { members = 3, start = "none" },
    run = function(c)
      local victim, died = random(3), false
      at("bootstrap:" .. step, { member = victim, nth = 1 }, function(m)
        died = true
        if random(2) == 1 then m:power_off() else m:crash() end
      end)
      c:bootstrap { discovery = "token" }
      eventually(function() return died end, { within = 20*s })
      sleep(random() * 5*s)
      c[victim]:restart()
      c:await_leader { within = 60*s }
      c:await_healthy { within = 60*s }
      expect(c:client():put("k", "1"), "it registers again under the same id, and all come up")
    end,
  }
end

scenario "discovery: all wiped, a new token, and new ids throughout" {
  claims = { "bootstrap.anew" },
  seeds = 50,
  cluster = { members = 3, start = "none" },
  run = function(c)
    c:bootstrap { discovery = "first", only = choose { { 1 }, { 1, 2 } } }
    sleep(random() * 10*s)
    for _, m in ipairs(c:members()) do
      if m.alive then
        m:crash()
        m:wipe()
      end
    end
    c:bootstrap { discovery = "second" }
    c:await_leader { within = 20*s }
    expect(c:client():put("k", "1"), "the new cluster serves")
    expect(c:discovery():registered("first") < 3, "the first token never got so far")
    c:await_healthy { within = 20*s }
  end,
}
