-- "If any failure happens during bootstrapping … re-bootstrap the cluster": a failed
-- bootstrap can be recovered like a running cluster, "but it almost always takes more
-- time and resources to recover the cluster than bootstrapping a new one"
-- (etcd-behaviour S26, S28, S29).

-- Every wrong configuration has its own error, and does no harm to the others.
local wrongs = {
  { "couldn't find local name", function(m) return { name = "nobody" } end },
  { "missing from initial-advertise-peer-urls", function(m) return { url = "http://elsewhere:2380" } end },
  { "has duplicate url", function(m)
    return { peers = { m1 = "http://m1:2380", m2 = "http://m2:2380", m3 = "http://m3:2380",
                       m4 = "http://m" .. m.id .. ":2380" } }
  end },
  { "member exists with identical ID", function(m)
    -- Addresses are hashed one after the other: these two make the same text.
    local peers = { a = "http://x,http://y", b = "http://xhttp://y" }
    peers[m.name] = "http://" .. m.name .. ":2380"
    return { peers = peers }
  end },
  { "initial cluster unset and no discovery endpoints found", function(m) return { peers = {} } end },
  { "multiple discovery or bootstrap flags are set", function(m) return { peers = { 1, 2, 3 }, discovery = "t" } end },
  { "unknown initial-cluster-state", function(m) return { state = "old" } end },
}
for _, wrong in ipairs(wrongs) do
  scenario("one of three is told nonsense: " .. wrong[1]) {
    claims = { "bootstrap.all" },
    tags = { "bootstrap", "configuration" },
    seeds = 20,
    cluster = { members = 3, start = "none" },
    run = function(c)
      local m = choose(c:members())
      c:bootstrap { member = { [m.id] = wrong[2](m) } }
      expect(not m.alive, "it does not start")
      expect(m.exit:find("bootstrap: ", 1, true) == 1 and m.exit:find(wrong[1], 1, true), "and says why: " .. m.exit)
      c:await_leader { within = 20*s }
      expect(c:client():put("k", "1"), "the others are a quorum without it")
      c:bootstrap { only = { m } } -- Put right, it completes the cluster.
      c:await_healthy { within = 20*s }
    end,
  }
end

for name, timing in pairs { ["at least as 5 times"] = { heartbeat = 300*ms, election = 900*ms },
                            ["is too long"] = { heartbeat = 1*s, election = 60*s } } do
  scenario("timeouts out of bounds: " .. name) {
    claims = { "bootstrap.all" },
    tags = { "bootstrap", "configuration" },
    seeds = 20,
    cluster = { members = 3, start = "none", strict_timing = true,
                member = { [2] = { heartbeat = timing.heartbeat, election = timing.election, tick = timing.heartbeat } } },
    run = function(c)
      c:bootstrap {}
      expect(c[2].exit and c[2].exit:find(name, 1, true), "it says what is wrong")
      c:await_leader { within = 20*s }
      expect(c:client():put("k", "1"), "the others serve")
    end,
  }
end

-- Any subset in any order: below a quorum nobody is ready and no harm is done; with
-- one they serve; the last one completes it.
scenario "members start one after the other, in any order" {
  claims = { "bootstrap.all" },
  seeds = 100,
  cluster = { members = 5, start = "none" },
  run = function(c)
    local order, started = shuffle { 1, 2, 3, 4, 5 }, {}
    for i, number in ipairs(order) do
      c:bootstrap { only = { number } }
      started[i] = number
      if i < 3 then
        sleep(random() * 6*s)
        expect(c:leader() == nil, "below a quorum nobody leads")
        expect(c[number].alive, "but waits")
      else
        c:await_leader { within = 30*s }
        expect(c:client { endpoints = started, timeout = 20*s }:put("k" .. i, "1"), "with one they serve")
      end
    end
    c:await_healthy { within = 30*s }
    for _, m in ipairs(c:members()) do
      expect(m.cluster_id == c[1].cluster_id, "one cluster")
    end
  end,
}

-- A crash or a power loss at every step, on every member: it comes up again.
for _, step in ipairs { "configured", "probed", "ids", "log", "raft" } do
  scenario("a member dies at a step of its bootstrap: " .. step) {
    claims = { "bootstrap.all" },
    tags = { "bootstrap", "crash" },
    seeds = 60,
    cluster = { members = 3, start = "none" },
    run = function(c)
      local victims, died = choose { { 1 }, { 2 }, { 3 }, { 1, 2 }, { 1, 2, 3 } }, 0
      local power = choose { true, false }
      at("bootstrap:" .. step, { member = victims, nth = 1 }, function(m)
        died = died + 1
        if power then m:power_off() else m:crash() end
      end)
      c:bootstrap {}
      eventually(function() return died == #victims end, { within = 10*s })
      sleep(random() * 2*s)
      for _, number in ipairs(victims) do
        expect(not c[number].alive, "dead")
        c[number]:restart()
      end
      c:await_leader { within = 30*s }
      expect(c:client():put("k", "1"), "and the cluster comes up all the same")
      c:await_healthy { within = 30*s }
    end,
  }
end

-- The same in the middle of what the disk does for a new log.
scenario "power fails while the first log is written" {
  claims = { "bootstrap.all" },
  tags = { "bootstrap", "crash" },
  seeds = 200,
  cluster = { members = 3, start = "none" },
  run = function(c)
    local died = 0
    local point = choose { "before:write", "after:write", "before:sync", "after:sync", "before:rename",
                           "after:rename", "before:syncdir", "after:syncdir" }
    at(point, { nth = choose { 1, 2 } }, function(m)
      if died < 3 then
        died = died + 1
        m:power_off()
      end
    end)
    c:bootstrap {}
    sleep(5*s)
    for _, m in ipairs(c:members()) do
      if not m.alive then m:restart() end
    end
    c:await_leader { within = 40*s }
    expect(c:client():put("k", "1"), "a log is there whole, or not at all")
    c:await_healthy { within = 40*s }
  end,
}

-- What a live etcd did (3.4, three members on one machine), case by case.
scenario "as a live etcd: who serves, and which error" {
  claims = { "bootstrap.all", "bootstrap.anew", "bootstrap.hazard" },
  seeds = 50,
  cluster = { members = 3, start = "none", token = "tkn" },
  run = function(c)
    -- One of three: alive and never healthy; its port answers nothing.
    c:bootstrap { only = { 1 } }
    local one = c:client { endpoints = { 1 }, timeout = 5*s }
    local value, err = one:put("k", "1")
    expect(value == false and err, "one of three answers nothing")
    expect(one:get("k", { serializable = true }) == false, "not even a read that asks nobody")
    sleep(25*s)
    expect(c[1].alive, "and waits for ever")
    -- The second makes a quorum: first write within a second of its start-up.
    local t = now()
    c:start(2)
    expect(c:client { endpoints = { 1, 2 } }:put("k", "1"), "two of three serve")
    record("second_started_to_first_write", now() - t)
    -- Another token: up, never serves; the others do not mind.
    c:bootstrap { only = { 3 }, member = { [3] = { token = "other" } } }
    sleep(8*s)
    expect(c[3].alive and c[3].leader == nil, "another token: up, and never serves")
    expect(c:client { endpoints = { 3 }, timeout = 5*s }:put("k", "3") == false, "a write there times out")
    expect(c:client { endpoints = { 1, 2 } }:put("k", "2"), "the others serve")
    -- Its own data under another token: the flag is ignored.
    c[3]:crash()
    c[3]:wipe()
    c:bootstrap { only = { 3 } }
    c:await_healthy { within = 20*s }
    c[3]:crash()
    c:bootstrap { only = { 3 }, member = { [3] = { token = "other" } } }
    c:await_healthy { within = 20*s }
    expect(c[3].cluster_id == c[1].cluster_id, "with a log, flags are ignored")
    -- A wiped directory, state new: refused by those who know it.
    c[3]:crash()
    c[3]:wipe()
    c:bootstrap { only = { 3 } }
    sleep(5*s)
    expect(not c[3].alive and c[3].exit:find("has already been bootstrapped", 1, true),
      "a wiped member does not start as new")
    expect(c[3].exit:find(c[3].member_id, 1, true), "and is called by its id")
  end,
}

-- The same three after they have served for a while: one forgets, or has to go.
scenario "as a live etcd: a directory from yesterday, a wiped one, and a member too many" {
  claims = { "bootstrap.hazard" },
  seeds = 50,
  tolerance = "lossy",
  cluster = { members = 3, pre_vote = false },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    local function write(from, to)
      for i = from, to do expect(cli:put("a" .. i, "1"), "the cluster serves") end
    end
    write(0, 10)
    sleep(1*s)
    -- Put back as it was: the leader's next heartbeat tells it of entries it must have had.
    local m = choose(c:followers())
    local image = m:image()
    write(11, 60)
    sleep(1*s)
    m:crash()
    m:restart { image = image }
    sleep(2*s)
    expect(not m.alive and m.exit:find("out of range", 1, true), "rolled back: it stops and says why")
    expect(c:client { endpoints = { m }, timeout = 5*s }:put("k", "1") == false, "and serves nobody")
    -- Wiped and told to join what exists, under a leader that knows nothing of it yet.
    local old = c:leader()
    m:wipe()
    old:crash()
    sleep(100*ms) -- What it had sent is heard by nobody any more.
    c:bootstrap { only = { m }, member = { [m.id] = { state = "existing" } } }
    local new = c:await_leader { other_than = old, within = 20*s }
    expect(new ~= m, "who remembers leads")
    eventually(function() return (c:client { endpoints = { m } }:put("k", "1")) end, { within = 20*s })
    expect(c:client { endpoints = { m } }:get("a60") == "1", "it is taken in, and has caught up")
    old:restart()
    c:await_healthy { within = 20*s }
    sleep(5*s)
    -- A member too many: told that it is removed, it goes by itself.
    local gone, t = choose(c:followers()), now()
    expect(c:remove_member(gone), "two are left")
    eventually(function() return gone.exit end, { within = 5*s, every = 1*ms })
    record("removed_to_exit", now() - t)
    expect(gone.exit == "removed", "it stops of its own accord")
    expect(c:client { endpoints = { gone }, timeout = 5*s }:put("k", "1") == false, "and serves nobody")
    expect(cli:put("k", "2"), "the two serve")
  end,
}

-- Recovering against beginning anew, from the same failure: one member never came up,
-- and the operator either replaces it or wipes all and starts over.
local function fail_bootstrap(c)
  c:bootstrap { only = { 1, 2 } }
  c:await_leader { within = 20*s }
  -- It is noticed late: those who came up have served for a while.
  local cli = c:client { endpoints = { 1, 2 } }
  for i = 1, 50 do
    expect(cli:put("seed/" .. i, ("x"):rep(500)), "two of three serve")
  end
end

local function spent(c, from)
  local to = c:cost()
  local out = {}
  for name, value in pairs(to) do out[name] = value - from[name] end
  return out
end

scenario "what recovering a failed bootstrap costs, and what beginning anew" {
  claims = { "bootstrap.costlier" },
  measures = { ["bootstrap.costlier"] = { "costlier", "recover_actions", "anew_actions", "recover_bytes", "anew_bytes" } },
  note = "the exception: when the missing member only has to be started, recovering is the cheapest",
  seeds = 100,
  cluster = { members = 3, start = "none", token = "first" },
  tolerance = "lossy",
  expect = { { stat = "mean", of = "costlier", min = 0.9 } },
  run = function(c)
    fail_bootstrap(c)
    -- By the book: a backup, members and their directories one by one.
    local before = c:cost()
    local backup = c:backup(1)
    c[1]:crash()
    c[2]:crash()
    local members = c:restore(backup, { members = { 1, 2, 3 } })
    expect(members, "recovered")
    c:await_healthy { within = 30*s }
    local recover = spent(c, before)
    -- Anew: wipe all, another token.
    before = c:cost()
    for i = 1, 3 do
      c[i]:crash()
      c[i]:wipe()
    end
    c:bootstrap { token = "second" }
    c:await_healthy { within = 30*s }
    local anew = spent(c, before)
    -- The exception: nothing was wrong but that the third had not been started.
    for i = 1, 3 do
      c[i]:crash()
      c[i]:wipe()
    end
    c:bootstrap { token = "third", only = { 1, 2 } }
    c:await_leader { within = 20*s }
    before = c:cost()
    c:start(3)
    c:await_healthy { within = 30*s }
    local start = spent(c, before)
    for name, value in pairs(recover) do record("recover_" .. name:gsub("operator_", ""), value) end
    for name, value in pairs(anew) do record("anew_" .. name:gsub("operator_", ""), value) end
    for name, value in pairs(start) do record("start_" .. name:gsub("operator_", ""), value) end
    -- More of most of it: not of everything, for a restored log is the shorter one.
    local worse = 0
    for _, name in ipairs { "operator_actions", "bytes", "entries", "syncs", "messages" } do
      worse = worse + (recover[name] >= anew[name] and 1 or 0)
    end
    record("costlier", worse >= 3 and 1 or 0)
    expect(start.operator_actions < anew.operator_actions, "simply starting the missing one is cheapest")
  end,
}
