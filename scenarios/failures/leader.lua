-- "When a leader fails, the etcd cluster automatically elects a new leader. The
-- election does not happen instantly once the leader fails. It takes about an
-- election timeout to elect a new leader […]. During the leader election the
-- cluster cannot process any writes. […] the new leader extends timeouts
-- automatically for all leases." What that sentence by sentence comes to.

local H, E = 100*ms, 1*s

-- Take the leader away in one of the ways a machine can go.
local function fail(c, leader, how)
  if how == "crash" then leader:crash()
  elseif how == "power" then leader:power_off()
  elseif how == "pause" then leader:pause()
  else c:isolate(leader) end
end

local function restore(c, leader, how)
  if how == "crash" or how == "power" then leader:restart()
  elseif how == "pause" then leader:resume()
  else c:heal() end
end

local function load(c)
  return c:load { clients = 8, rate = 200, mix = { put = 1, get = 1 } }
end

for _, n in ipairs { 3, 5, 7 } do
  scenario("a failed leader is replaced, n=" .. n) {
    claims = { "leader.elected", "leader.election-time", "leader.no-writes" },
    seeds = 20,
    cluster = { members = n },
    run = function(c)
      local old = c:await_leader { within = 10*s }
      load(c)
      sleep(2*s + random() * 1*s)
      old = c:leader()
      local how = choose { "crash", "power", "pause", "isolate" }
      local t, committed, term = now(), old.commit, old.term
      -- Nobody commits a thing until somebody has been elected.
      local elected, first_commit
      when(function(m) return m.role == "leader" and m.term > term end, function(m)
        elected = elected or m
      end)
      when(function(m) return m ~= old and elected and m == elected and m.commit > committed and m:term_at(m.commit) == m.term end,
        function(m) first_commit = first_commit or now() end)
      fail(c, old, how)
      local new = c:await_leader { other_than = old, within = 30*s }
      local took = now() - t
      record("election_time", took)
      expect(new.term > term, "a new leader has a higher term")
      -- A heartbeat was heard at most H before the failure, and nobody campaigns
      -- earlier than ET - 1 ticks after the last one heard.
      expect(took > E - 2*H - 10*ms, "no election before the timeout")
      eventually(function() return first_commit end, { within = 10*s })
      record("commit_gap", first_commit - t)
      sleep(1*s)
      for _, m in ipairs(c:members()) do
        if m ~= old then expect(m.leader == new, "everybody else follows the one new leader") end
      end
      restore(c, old, how)
      eventually(function() return old.leader == c:leader() end, { within = 10*s })
    end,
  }
end

-- A graceful stop hands leadership over: no timeout has to pass first.
scenario "a leader that is stopped hands over at once" {
  claims = { "leader.elected" },
  seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    local old = c:await_leader { within = 10*s }
    load(c)
    sleep(2*s)
    local t = now()
    old:stop()
    c:await_leader { other_than = old, within = 5*s }
    record("handover_time", now() - t)
    expect(now() - t < 200*ms, "a round trip or two, not an election timeout")
  end,
}

-- "Writes sent to the cluster during the election are queued for processing until a
-- new leader is elected": true for what a member without a leader takes. What was
-- passed on to the dead leader is not sent again: it ends in a timeout that
-- does not say whether it happened (etcd-behaviour §8, S13).
scenario "writes sent during the election wait for the new leader" {
  claims = { "leader.queued" },
  seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local old = c:await_leader { within = 10*s }
    local other = c:followers()[1]
    local cli = c:client { endpoints = { other } }
    expect(cli:put("before", "1"))
    old:crash()
    -- (a) before anybody notices: forwarded to the dead leader.
    local early = cli:async("put", "early", "1")
    -- (b) once the follower knows of no leader: it waits there.
    local late
    when(function(m) return m == other and m.leader == nil end, function()
      late = late or cli:async("put", "late", "1")
    end)
    c:await_leader { other_than = old, within = 30*s }
    sleep(1*s)
    sometimes("a write came while its member knew of no leader", late ~= nil)
    if late then
      local ok, err = late:await()
      expect(ok, "a write that was queued is processed after the election")
      local value, record_ = cli:get("late")
      expect(record_.version == 1, "exactly once")
    end
    local ok, err = early:await()
    if not ok then
      expect(err.unknown, "the caller is told that the outcome is not known")
      record("early_unknown", 1)
    end
    local value, record_ = cli:get("early")
    expect(value == nil or record_.version == 1, "present once or not at all")
  end,
}

-- What was not committed may be lost, what was acknowledged is not: the leader is
-- cut off with writes that reach nobody, and then loses its power.
scenario "uncommitted writes of a lost leader vanish whole, or stay whole" {
  claims = { "leader.uncommitted" },
  seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local old = c:await_leader { within = 10*s }
    local cli = c:client()
    for i = 1, 10 do expect(cli:put("kept" .. i, "yes")) end
    local lonely = c:client { endpoints = { old }, timeout = 3*s }
    c:isolate(old)
    local lost = {}
    for i = 1, 10 do lost[i] = lonely:async("put", "lost" .. i, "perhaps") end
    sleep(random() * 300*ms)
    old:power_off()
    local new = c:await_leader { other_than = old, within = 30*s }
    c:heal()
    old:restart()
    eventually(function() return old.leader == c:leader() end, { within = 10*s })
    for i = 1, 10 do
      expect(cli:get("kept" .. i) == "yes", "what was acknowledged is there")
      local ok, err = lost[i]:await()
      expect(not ok and err.unknown, "nobody was told that it happened")
      local value = cli:get("lost" .. i)
      expect(value == nil or value == "perhaps", "whole or not at all")
    end
  end,
}

-- "The new leader extends timeouts automatically for all leases. This mechanism
-- ensures a lease will not expire before the granted TTL even if it was granted by
-- the old leader." The lease judge holds every run to it, in true time.
scenario "a new leader extends every lease" {
  claims = { "leader.lease-extended", "leader.lease-kept" },
  seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    local leases = {}
    for i = 1, 8 do
      leases[i] = cli:grant(random(2, 6) * s)
      cli:put("held" .. i, "by " .. i, { lease = leases[i] })
    end
    -- Some are renewed until the last moment, some never.
    for i = 1, 4 do leases[i]:auto(true) end
    sleep(random() * 4*s)
    local old = c:leader()
    local how = choose { "crash", "pause", "isolate" }
    fail(c, old, how)
    local new = c:await_leader { other_than = old, within = 30*s }
    local t = now()
    sleep(random() * 1*s)
    restore(c, old, how)
    sleep(1*s)
    for i = 1, 4 do leases[i]:auto(false) end
    -- Each goes in the end.
    eventually(function()
      for i = 1, 8 do
        if cli:get("held" .. i) ~= nil then return false end
      end
      return true
    end, { within = 30*s, every = 100*ms })
    record("last_lease_gone", now() - t)
  end,
}
