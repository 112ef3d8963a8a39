-- The membership changes while the world breaks: whatever happens, two configurations
-- that decide anything overlap, who is removed stays out, and healed, the cluster can
-- change its membership again (which is asked of it at the end of each run).

local common = require "common"

local function members_in(c)
  local list = {}
  for _, m in ipairs(c:members()) do
    if m.alive and m.exit == nil then list[#list + 1] = m end
  end
  return list
end

local function names(cli)
  local list, err = cli:members()
  if not list then return false, err end
  local known = {}
  for _, m in ipairs(list) do known[m.id] = m end
  return known, #list
end

scenario "members come and go under load" {
  tags = { "hazards", "membership" },
  seeds = 40,
  cluster = common.small,
  run = function(c)
    local cli = c:client()
    c:load { clients = 4, rate = 100, mix = { put = 1, get = 1 } }
    common.settle()
    local fourth = c:add_member {}
    expect(fourth and fourth.name == "m4", "a new member on a new machine")
    local learner = c:add_member { learner = true }
    expect(learner and learner.role == "learner", "a learner")
    local known, count = names(cli)
    expect(known and count == 5, "everybody is listed")
    expect(known[learner.member_id].learner and not known[fourth.member_id].learner, "as what they are")
    eventually(function() return c:promote(learner) end, { within = 20*s })
    known = names(cli)
    expect(known and not known[learner.member_id].learner, "promoted")

    local old = c:leader()
    local gone = c:followers()[1]
    expect(c:remove_member(gone), "a follower goes")
    expect(c:remove_member(old), "the leader goes")
    c:await_leader { other_than = { gone, old }, within = 20*s }
    eventually(function() return gone.exit == "removed" and old.exit == "removed" end, { within = 20*s })
    known, count = names(cli)
    expect(known and count == 3 and not known[old.member_id], "who is removed is not listed")
    local ok, err = c:remove_member(old)
    expect(not ok and err.code == "member removed", "and is remembered")
    expect(c:move_leader(learner), "leadership goes to a member of late")
    expect(c:leader() == learner, "there it is")
    sleep(2*s)
    learner:stop()
    local t = now()
    c:await_leader { other_than = learner, within = 10*s }
    expect(now() - t < 1*s, "who stops gracefully hands over first")
    record("handover", now() - t)
  end,
}

scenario "what does not fit is refused" {
  tags = { "hazards", "membership" },
  seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local cli = common.settled(c)
    local function refused(code, ok, err)
      expect(not ok and err.code == code, code)
    end
    local first, second = c:followers()[1], c:followers()[2]
    refused("member is not a learner", c:promote(first))
    first:crash()
    sleep(2*s)
    refused("unhealthy cluster", c:remove_member(second))
    first:restart()
    c:await_healthy { within = 20*s }
    common.settle()
    local learner = c:add_member { learner = true }
    refused("too many learners", c:add_member { learner = true })
    refused("bad leader transferee", c:move_leader(learner))
    refused("peer url exists", c:update_member(first, "http://" .. second.name .. ":2380"))
    local lost = c:client { endpoints = learner }
    refused("not supported for learner", lost:put("a", "2"))
    expect(lost:get("a", { serializable = true }) == "1", "a learner answers from its store")
    c:isolate(learner)
    for i = 1, 60 do cli:put("k" .. i, "v") end
    refused("learner not ready", c:promote(learner))
    c:heal()
    eventually(function() return c:promote(learner) end, { within = 20*s })
  end,
}

scenario "the leader of two is removed" {
  tags = { "hazards", "membership" },
  seeds = 40,
  cluster = { members = 2 },
  run = function(c)
    local cli = common.settled(c)
    local old = c:leader()
    expect(c:remove_member(old), "removed")
    local new = c:await_leader { other_than = old, within = 10*s }
    expect(cli:get("a") == "1" and cli:put("a", "2"), "the other one goes on alone")
    eventually(function() return old.exit == "removed" end, { within = 5*s })
    local ok, err = c:remove_member(new)
    expect(not ok and err.code == "not enough started members", "somebody must stay")
    local back = c:add_member {}
    expect(back and c:move_leader(back), "and it may grow again")
  end,
}

-- A change that a leader inherited and nobody has committed: until it is, the next
-- change must wait (Ongaro, raft-dev 2015: the bug of single-server changes).
scenario "a change is inherited" {
  tags = { "hazards", "membership" },
  seeds = 40,
  cluster = { members = 5 },
  run = function(c)
    common.settled(c)
    local old = c:leader()
    local heir, a, b, d = table.unpack(c:followers())
    for _, m in ipairs { a, b, d } do c:cut(old, m) end
    local before = heir.last_index
    spawn(function() c:remove_member(d) end)
    eventually(function() return heir.last_index > before end, { within = 10*s })
    old:crash()
    at("role:leader", { member = heir }, function()
      a:disk { stall = 400*ms }
      b:disk { stall = 400*ms }
      spawn(function()
        local ok = c:remove_member(old)
        sometimes("the second change is refused", not ok)
      end)
      spawn(function() c:add_member { start = false } end)
    end)
    c:partition({ heir, a, b }, { d })
    c:await_leader { other_than = old, within = 60*s }
    sleep(8*s)
    c:heal()
  end,
}

scenario "operators who do not wait for each other" {
  tags = { "hazards", "membership" },
  seeds = 60,
  cluster = common.small,
  run = function(c)
    c:load { clients = 2, rate = 50, mix = { put = 1 } }
    common.settle()
    local slow = choose(c:members())
    slow:slow(200, "apply")
    for operator = 1, 3 do
      spawn(function()
        for _ = 1, 4 do
          local what = random(4)
          if what == 1 then
            c:add_member { learner = random() < 0.5 }
          elseif what == 2 then
            local victims = members_in(c)
            if #victims > 3 then c:remove_member(choose(victims)) end
          elseif what == 3 then
            for _, m in ipairs(c:members()) do
              if m.role == "learner" then c:promote(m) break end
            end
          else
            local to = choose(c:members())
            if to.alive and to.member_id then c:move_leader(to) end
          end
          sleep(random(0.0, 0.5))
        end
      end)
    end
    sleep(10*s)
    slow:slow(1, "apply")
    sleep(10*s)
  end,
}

scenario "joint changes break in the middle" {
  tags = { "hazards", "membership" },
  seeds = 60,
  cluster = { members = 3, election = 500*ms, heartbeat = 50*ms, snapshot_entries = 5, catchup_entries = 3, max_learners = 4 },
  run = function(c)
    c:load { clients = 2, rate = 60, mix = { put = 1 } }
    common.settle()
    local fresh = c:change_members { add = 2 }
    expect(fresh and #fresh == 2, "two at once")
    for round = 1, 3 do
      local victims = shuffle(c:followers())
      local point = choose { "after:apply ConfChange", "before:apply ConfChange", "after:send MsgApp", "snapshot" }
      local fired = false
      local struck = choose(c:members())
      at(point, { member = struck, nth = random(3) }, function(m)
        if not fired and m.alive then
          fired = true
          m:crash()
          spawn(function()
            sleep(random(0.05, 1.0))
            if not m.alive and m.exit == "crashed" then m:restart() end
          end)
        end
      end)
      -- While the outgoing half cannot agree, the joint configuration stays in force.
      local cut = victims[2]
      if cut and random() < 0.5 then
        c:isolate(cut)
        spawn(function() sleep(1.5*s) c:heal() end)
      end
      c:change_members { add = 1, remove = { victims[1] } }
      sleep(random(0.5, 2.0))
      fired = true
    end
    c:heal()
    sleep(3*s)
    local voters = c:followers()
    if voters[1] then
      local ok = c:change_members { demote = { c:leader() or voters[1] } }
      sometimes("a leader is demoted", ok)
    end
  end,
}

scenario "a crash at every point of a change" {
  tags = { "hazards", "membership" },
  seeds = 120,
  cluster = common.small,
  run = function(c)
    local cli = common.settled(c)
    local point = choose {
      "before:append Entry", "after:append Entry", "before:sync Entry", "after:sync Entry",
      "before:apply ConfChange", "after:apply ConfChange", "before:send MsgApp", "after:send MsgApp",
      "before:send MsgAppResp", "after:receive MsgApp", "commit", "bootstrap:joined", "bootstrap:log",
    }
    local who = random(3)
    local struck
    at(point, { nth = random(4) }, function(m)
      if struck or (who == 1 and m.role ~= "leader") or (who == 2 and m.role == "leader") then return end
      struck = m
      if random() < 0.5 then m:crash() else m:power_off() end
      spawn(function()
        sleep(random(0.1, 3.0))
        if not m.alive then m:restart() end
      end)
    end)
    local what = random(4)
    if what == 1 then
      c:add_member {}
    elseif what == 2 then
      c:remove_member(choose(c:members()))
    elseif what == 3 then
      local l = c:add_member { learner = true }
      if l then c:promote(l) end
    else
      c:replace_member(c:followers()[1] or c[1], { joint = random() < 0.5 })
    end
    sometimes("something was struck", struck ~= nil)
    sleep(4*s)
    c:await_leader { within = 20*s }
    expect(cli:get("a") == "1", "what was acknowledged is there")
  end,
}

scenario "changes on both sides of a partition" {
  claims = { "partition.shapes" },
  tags = { "hazards", "membership", "partition" },
  seeds = 60,
  cluster = { members = 5, election = 500*ms, heartbeat = 50*ms },
  run = function(c)
    common.settle()
    local old = c:leader()
    local others = shuffle(c:followers())
    local left = { old, others[1] }
    local right = { others[2], others[3], others[4] }
    c:partition(left, right)
    -- The smaller side still has its leader, for a while.
    spawn(function()
      local ok = c:remove_member(others[4])
      sometimes("a change of the smaller side", not ok)
    end)
    local new = c:await_leader { other_than = left, within = 20*s }
    c:load { clients = 2, rate = 50, mix = { put = 1, get = 1 } }
    spawn(function() c:remove_member(others[1]) end)
    sleep(1*s)
    expect(old.commit < new.commit or old.role ~= "leader", "the smaller side commits nothing")
    sleep(8*s)
    c:heal()
    c:await_leader { within = 20*s }
    sleep(2*s)
  end,
}

-- A machine is removed, wiped and added again at the same address: it must come back as
-- somebody else, for its old id has voted and acknowledged what its disk forgot.
scenario "a wiped machine returns to its address" {
  tags = { "hazards", "membership" },
  seeds = 40,
  cluster = { members = 3 },
  run = function(c)
    local cli = common.settled(c)
    local m = c:followers()[1]
    local id = m.member_id
    for i = 1, 20 do cli:put("k" .. i, "v") end
    common.clear_out(c, m)
    local back = c:add_member { on = m, learner = random() < 0.5 }
    expect(back == m and m.alive, "the machine is back")
    expect(m.member_id ~= id, "as somebody else")
    local ok, err = cli:members()
    expect(ok and #ok == 3, "three again")
  end,
}

scenario "who is removed while away" {
  tags = { "hazards", "membership" },
  seeds = 40,
  cluster = { members = 4, election = 500*ms, heartbeat = 50*ms, learners = 0, max_learners = 2 },
  run = function(c)
    common.settled(c)
    local learner = c:add_member { learner = true }
    local voter = c:followers()[1]
    c:isolate(voter)
    c:isolate(learner)
    sleep(1*s)
    expect(c:remove_member(voter), "a voter that cannot be told")
    expect(c:remove_member(learner), "a learner that cannot be told")
    sleep(3*s)
    expect(voter.alive and learner.alive, "they do not know")
    c:heal()
    eventually(function() return voter.exit == "removed" and learner.exit == "removed" end, { within = 10*s })
    voter:restart()
    eventually(function() return voter.exit == "removed" end, { within = 10*s })
  end,
}

scenario "churn" {
  tags = { "hazards", "membership" },
  seeds = 60,
  cluster = common.small,
  network = { loss = 0.01, duplicate = 0.01, reorder = 0.02 },
  run = function(c)
    c:load { clients = 3, rate = 60, mix = { put = 2, get = 1, txn = 1 } }
    common.settle()
    c:nemesis {
      kinds = { "crash", "power_off", "pause", "partition", "cut", "slow", "member" },
      every = uniform(0.5, 3), during = 25*s, heal_after = uniform(0.1, 2),
    }
    sleep(30*s)
  end,
}
