-- Single steps of a change of the membership, each at the moment where it hurts.

local common = require "common"

-- Whoever leads on after its removal does so to tell the others that it is committed.
scenario "the last word of a removed leader is lost at first" {
  tags = { "hazards", "membership" },
  seeds = 40,
  cluster = { members = 2 },
  run = function(c)
    local cli = common.settled(c)
    local old, other = c:leader(), c:followers()[1]
    local cut = false
    local start = old.commit
    at("commit", { member = old }, function()
      if not cut and old.commit > start then
        cut = true
        c:cut(old, other)
        spawn(function()
          sleep(300*ms)
          c:heal()
        end)
      end
    end)
    expect(c:remove_member(old), "removed")
    c:await_leader { other_than = old, within = 15*s }
    expect(cli:get("a") == "1" and cli:put("a", "2"), "the other one goes on alone")
  end,
}

-- Nothing else is proposed, so nothing else drives the cluster on.
scenario "a joint change in a quiet cluster" {
  tags = { "hazards", "membership" },
  seeds = 20,
  cluster = { members = 4 },
  run = function(c)
    common.settle()
    local t = now()
    local done, err = c:change_members { remove = { c:followers()[1] } }
    expect(done, "made, and the joint configuration is left")
    expect(now() - t < 2*s, "at once")
    common.settle()
    local old = c:leader()
    expect(c:change_members { demote = { old } }, "the leader becomes a learner")
    local new = c:await_leader { other_than = old, within = 500*ms }
    eventually(function() return old.role == "learner" and old.leader == new end, { within = 10*s })
  end,
}

-- Once the joint configuration is in force, both halves decide: the outgoing one is cut
-- off right then.
scenario "the outgoing half is away" {
  tags = { "hazards", "membership", "partition" },
  seeds = 30,
  cluster = { members = 3, max_learners = 2 },
  run = function(c)
    local cli = c:client { timeout = 3*s }
    common.settle()
    local first, second = c:followers()[1], c:followers()[2]
    local fresh = c:change_members { learners = 2 }
    expect(fresh, "two learners")
    eventually(function() return fresh[1].role == "learner" and fresh[2].role == "learner" end, { within = 20*s })
    sleep(6*s)
    local leader = c:leader()
    local fired = false
    at("after:apply ConfChange", { member = leader }, function()
      if fired then return end
      fired = true
      c:isolate(first)
      c:isolate(second)
    end)
    spawn(function() c:change_members { promote = fresh, remove = { first, second } } end)
    eventually(function() return fired end, { within = 10*s })
    local frozen = leader.commit
    cli:put("a", "1")
    sleep(5*s)
    expect(leader.commit == frozen or not leader.alive, "one half alone commits nothing")
    c:heal()
    c:await_leader { within = 30*s }
    sleep(5*s)
  end,
}

-- What is left of the outgoing half may not know yet that it is one, and elect by itself:
-- the old leader's followers in the incoming half do not vouch for it.
scenario "the outgoing half goes its own way" {
  tags = { "hazards", "membership", "partition", "read" },
  seeds = 30,
  cluster = { members = 3, max_learners = 2, election = 500*ms, heartbeat = 50*ms, check_quorum = false },
  run = function(c)
    common.settle()
    local fresh = c:change_members { learners = 2 }
    expect(fresh, "two learners")
    eventually(function() return fresh[1].role == "learner" and fresh[2].role == "learner" end, { within = 20*s })
    sleep(6*s)
    local leader, first, second = c:leader(), table.unpack(c:followers())
    local fired = false
    at("after:apply ConfChange", { member = leader }, function()
      if fired then return end
      fired = true
      for _, m in ipairs { first, second } do m:slow(1000, "apply") end
      c:partition({ leader, fresh[1], fresh[2] }, { first, second })
    end)
    c:load { clients = 8, rate = 400, mix = { put = 1 }, keys = 1, endpoints = { first, second }, timeout = 1*s }
    c:load { clients = 2, rate = 100, mix = { get = 1 }, keys = 1, endpoints = { leader }, timeout = 1*s }
    c:load { clients = 2, rate = 100, mix = { get = 1 }, keys = 1, endpoints = { first, second }, timeout = 1*s }
    spawn(function()
      while not fired do
        c:change_members { promote = fresh, remove = { first, second } }
        sleep(500*ms)
      end
    end)
    eventually(function() return fired end, { within = 20*s })
    sleep(5*s)
    c:heal()
    for _, m in ipairs { first, second } do m:slow(1, "apply") end
    c:await_leader { within = 30*s }
    sleep(5*s)
  end,
}

-- A snapshot stands for what its reader does not know yet: who votes, for one thing.
scenario "a snapshot waits for its disk" {
  tags = { "hazards", "membership", "snapshot" },
  seeds = 30,
  cluster = { members = 3, snapshot_entries = 20, catchup_entries = 5 },
  run = function(c)
    local cli = c:client()
    c:await_leader {}
    local m = c:followers()[1]
    c:isolate(m)
    for i = 1, 60 do cli:put("k" .. i, "v") end
    local stalled = false
    at("after:receive SnapshotChunk", { member = m }, function()
      if stalled then return end
      stalled = true
      m:disk { stall = 5*s }
      spawn(function()
        for _, other in ipairs(c:members()) do
          if other ~= m then other:crash() end
        end
      end)
    end)
    c:heal()
    eventually(function() return stalled end, { within = 20*s })
    sleep(10*s)
  end,
}

-- Leadership is handed to somebody who has the change in its log and has not got to it.
scenario "leadership goes to whoever lags" {
  tags = { "hazards", "membership" },
  seeds = 30,
  cluster = { members = 3 },
  run = function(c)
    common.settle()
    local leader, slow = c:leader(), c:followers()[1]
    slow:slow(200000, "apply")
    local fired = false
    at("after:apply ConfChange", { member = leader }, function()
      if fired then return end
      fired = true
      spawn(function()
        sleep(20*ms)
        c:move_leader(slow)
      end)
    end)
    c:add_member { learner = true, start = false }
    sleep(3*s)
    slow:slow(1, "apply")
    sleep(3*s)
  end,
}

-- Removed, wiped and added again at the same address, and once more: every time it is
-- somebody else.
scenario "a machine comes and goes" {
  tags = { "hazards", "membership" },
  seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local cli = common.settled(c)
    local m = c[3]
    local seen = {}
    for round = 1, 3 do
      seen[m.member_id] = true
      for i = 1, 10 do cli:put("k" .. i, "v" .. round) end
      common.clear_out(c, m)
      expect(c:add_member { on = m }, "back")
      expect(not seen[m.member_id], "as somebody else")
      sleep(6*s)
    end
  end,
}

scenario "learners from the beginning" {
  tags = { "hazards", "membership" },
  seeds = 20,
  cluster = { members = 3, learners = 2 },
  run = function(c)
    c:await_healthy { within = 20*s }
    -- Not before: while nobody served yet, a client may have reached the learners only,
    -- and until it dials the voters again a put can use up its 100 attempts there.
    local cli = c:client()
    expect(cli:put("a", "1"), "three vote")
    expect(#c:followers() == 2 and #c:minority() == 1, "learners are no voters")
    expect(c[4].role == "learner" and c[5].role == "learner", "learners")
    c:await_applied(c:leader().commit, { within = 10*s })
    c[1]:crash()
    c[2]:crash()
    local ok = c:client { timeout = 5*s }:put("a", "2")
    expect(not ok, "one voter and two learners are no quorum")
    c[1]:restart()
    c:await_leader { within = 20*s }
    eventually(function() return c:promote(c[4]) end, { within = 30*s })
    eventually(function() return c[4].role == "follower" end, { within = 10*s })
  end,
}

-- Who joins is told by the others who it is; what does not fit ends it.
scenario "ways to join wrongly" {
  tags = { "hazards", "membership", "bootstrap" },
  seeds = 20,
  cluster = { members = 4, start = "none" },
  run = function(c)
    c:bootstrap { only = { 1, 2, 3 }, member = { [1] = { peers = { 1, 2, 3 } }, [2] = { peers = { 1, 2, 3 } }, [3] = { peers = { 1, 2, 3 } } } }
    c:await_leader { within = 20*s }
    sleep(1*s)
    c:bootstrap { only = { 4 }, member = { [4] = { peers = { 1, 2, 3, 4 }, state = "existing" } } }
    eventually(function() return c[4].exit ~= nil end, { within = 15*s })
    expect(c[4].exit == "bootstrap: error validating peerURLs: member count is unequal", "nobody has added it")
    sleep(6*s)
    local m = c:add_member { on = c[4], start = false }
    expect(m, "added")
    c:isolate(m)
    c:start(m)
    eventually(function() return m.exit ~= nil end, { within = 15*s })
    expect(m.exit:find("bootstrap: cannot fetch cluster info from peer urls", 1, true) == 1, "nobody to ask")
    c:heal()
    c:start(m)
    eventually(function() return m.role == "follower" and m.applied > 0 end, { within = 20*s })
  end,
}

-- Who is promoted is needed before it knows: it votes as a learner.
scenario "whoever was promoted votes before it knows" {
  tags = { "hazards", "membership" },
  seeds = 20,
  cluster = { members = 2, election = 300*ms, heartbeat = 50*ms },
  run = function(c)
    local cli = c:client { timeout = 3*s }
    cli:put("a", "1")
    common.settle()
    local old, other = c:leader(), c:followers()[1]
    local m = c:add_member { learner = true }
    expect(m, "a learner")
    eventually(function() return m.role == "learner" and m.applied >= old.commit end, { within = 20*s })
    common.settle()
    local fired = false
    at("after:apply ConfChange", { member = other }, function()
      if fired then return end
      fired = true
      old:crash()
    end)
    m:slow(1e6, "apply") -- Five seconds for an entry.
    spawn(function() c:promote(m) end)
    eventually(function() return fired end, { within = 20*s })
    c:await_leader { other_than = old, within = 4*s }
    m:slow(1, "apply")
    eventually(function() return (cli:put("a", "2")) end, { within = 60*s, every = 100*ms })
  end,
}

-- One member alone becomes two, and falls before the second knows of anything: the vote of
-- whoever is in no term yet is needed.
scenario "whoever has just joined votes without a log" {
  tags = { "hazards", "membership" },
  seeds = 10,
  cluster = { members = 1, election = 300*ms, heartbeat = 50*ms },
  run = function(c)
    local cli = c:client { timeout = 3*s }
    expect(cli:put("a", "1"), "one alone serves")
    local first, fired = c:leader(), false
    at("after:receive PeerAnswer", {}, function(m)
      if fired or m == first then return end
      fired = true
      first:crash() -- It has told who belongs to the cluster, and nothing else.
    end)
    spawn(function() c:add_member {} end)
    eventually(function() return fired end, { within = 20*s })
    sleep(random(0.0, 3.0))
    sometimes("the second has heard of no term", c[2].term == 0)
    first:restart()
    c:await_leader { within = 10*s }
    eventually(function() return (cli:put("a", "2")) end, { within = 20*s, every = 100*ms })
  end,
}
