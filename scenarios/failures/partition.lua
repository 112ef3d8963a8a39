-- "A network partition divides the etcd cluster into two parts; one with a member
-- majority and the other with a member minority. The majority side becomes the
-- available cluster and the minority side is unavailable; there is no "split-brain"
-- in etcd. […] If the leader is on the majority side, then from the majority point
-- of view the failure is a minority follower failure. If the leader is on the
-- minority side, then it is a leader failure. The leader on the minority side steps
-- down and the majority side elects a new leader. Once the network partition clears,
-- the minority side automatically recognizes the leader from the majority side and
-- recovers its state."

local H, E = 100*ms, 1*s

local function load(c)
  return c:load { clients = 8, rate = 200, mix = { put = 1, get = 1 } }
end

-- Two groups: `inside` and everybody else.
local function cut_off(c, inside)
  local is_inside, outside = {}, {}
  for _, m in ipairs(inside) do is_inside[m] = true end
  for _, m in ipairs(c:members()) do
    if not is_inside[m] then outside[#outside + 1] = m end
  end
  c:partition(inside, outside)
end

for _, n in ipairs { 3, 5 } do
  scenario("the leader is on the majority side, n=" .. n) {
    claims = { "partition.majority-side", "partition.heal" },
    seeds = 20,
    cluster = { members = n },
    run = function(c)
      local leader = c:await_leader { within = 10*s }
      sleep(1*s)
      leader = c:leader()
      load(c)
      local small, term = c:minority(), leader.term
      local one_way = choose { true, false }
      if one_way then
        for _, m in ipairs(small) do
          for _, other in ipairs(c:members()) do
            if other ~= m then c:cut(other, m) end
          end
        end
      else
        cut_off(c, small)
      end
      local committed = {}
      sleep(100*ms)
      for _, m in ipairs(small) do committed[m] = m.commit end
      sleep(choose { 1*s, 5*s, 20*s })
      expect(c:leader() == leader and leader.term == term, "the majority notices no more than lost followers")
      for _, m in ipairs(small) do
        expect(m.commit == committed[m], "the small side commits nothing")
        expect(m.term == term, "and PreVote keeps its term from growing")
        local value = c:client { endpoints = { m }, timeout = 1*s }:get("k1")
        expect(value == false, "nor does it serve a linearizable read")
      end
      c:heal()
      local t = now()
      eventually(function()
        for _, m in ipairs(small) do
          if m.leader ~= leader then return false end
        end
        return true
      end, { within = 2*s })
      record("adopted_after", now() - t)
      expect(c:leader() == leader and leader.term == term, "healing costs no election")
      c:await_converged { within = 20*s }
    end,
  }

  scenario("the leader is on the minority side, n=" .. n) {
    claims = { "partition.minority-side", "partition.heal" },
    seeds = 20,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      sleep(1*s)
      load(c)
      sleep(500*ms)
      local old = c:leader()
      local with_old = { old }
      if n == 5 and random(2) == 1 then with_old[2] = c:followers()[1] end
      local lonely = c:client { endpoints = { old }, timeout = 4*s }
      local t, down = now(), nil
      when(function(m) return m == old and m.role ~= "leader" end, function() down = down or now() end)
      cut_off(c, with_old)
      local write = lonely:async("put", "minority", "never")
      local new = c:await_leader { other_than = old, within = 30*s }
      record("election_time", now() - t)
      eventually(function() return down end, { within = 3*E })
      record("step_down_time", down - t)
      -- CheckQuorum asks every E whether a quorum answered since it last asked.
      expect(down - t >= E - H - 10*ms, "not before it can know")
      expect(down - t <= 2*E + 10*ms, "and within two election timeouts")
      local ok = write:await()
      expect(ok == false, "a write to the old leader is not acknowledged")
      sleep(choose { 1*s, 10*s })
      local term = c:leader().term
      c:heal()
      sleep(1*s)
      expect(c:leader().term == term, "healing costs no election")
      expect(old.leader == c:leader(), "the old leader follows the new one")
      c:await_converged { within = 20*s }
      local value = c:client():get("minority")
      expect(value == nil or value == "never", "what it took alone is gone, or there whole")
    end,
  }
end

-- A half is not a majority: nobody leads, nothing commits, and nobody is to blame.
scenario "an even split has no leader anywhere" {
  claims = { "partition.shapes" },
  seeds = 20,
  cluster = { members = 4 },
  run = function(c)
    c:await_leader { within = 10*s }
    load(c)
    sleep(1*s)
    c:partition({ 1, 2 }, { 3, 4 })
    sleep(2*E + 500*ms)
    for _, m in ipairs(c:members()) do expect(m.role ~= "leader", "two of four are no quorum") end
    local highest = 0
    for _, m in ipairs(c:members()) do highest = math.max(highest, m.commit) end
    sleep(10*s)
    for _, m in ipairs(c:members()) do expect(m.commit <= highest, "nothing commits") end
    c:heal()
    c:await_leader { within = 10*s }
    c:await_converged { within = 20*s }
  end,
}

-- A link that comes and goes: safe, and in the end at rest.
scenario "a flapping partition" {
  claims = { "partition.shapes", "partition.heal" },
  seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    load(c)
    for flap = 1, 50 do
      local order = shuffle(c:members())
      if random(2) == 1 then c:isolate(order[1]) else c:partition({ order[1], order[2] }, { order[3], order[4], order[5] }) end
      sleep(random() * 1*s)
      c:heal()
      sleep(random() * 500*ms)
    end
    c:await_leader { within = 10*s }
    c:await_converged { within = 20*s }
  end,
}
