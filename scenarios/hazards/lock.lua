-- Locks: at no true instant two holders, as long as each believes in its lease by its
-- own clock. What locks cannot do is shown as well.

local function contenders(c, count, work)
  local clients = {}
  for i = 1, count do
    clients[i] = c:client { timeout = 5*s }
    spawn(function() work(clients[i], i) end)
  end
  return clients
end

scenario "lock: holders and waiters die, pause and are cut off" {
  tags = { "lock", "lease" }, seeds = 20, limit = 10*min,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    c:load { clients = 6, rate = 60, mix = { lock = 3, put = 1 }, keys = 50 }
    local clients = contenders(c, 4, function(cli)
      for round = 1, 5 do
        local lease = cli:grant(random(2, 4) * s)
        if lease then
          lease:auto(true)
          local lock = cli:lock("door", { lease = lease })
          if lock then sleep(random() * 1*s) end
          local how = random(3)
          if how == 1 and lock then cli:unlock(lock) end
          lease:auto(false)
          if how == 2 then lease:revoke() end
        end
        sleep(random() * 1*s)
      end
    end)
    for round = 1, 8 do
      sleep(random() * 1*s)
      local what = random(4)
      if what == 1 then
        local cli = choose(clients)
        cli:pause()
        sleep(random() * 6*s)
        cli:resume()
      elseif what == 2 then choose(clients):disconnect()
      elseif c:leader() then
        local m = c:leader()
        if what == 3 then m:pause() sleep(random() * 3*s) m:resume()
        else m:crash() sleep(random() * 3*s) m:restart() end
      end
    end
  end,
}

-- An answer may be older than it looks: it was under way for long, or its reader slept.
scenario "lock: keepalives are answered late" {
  tags = { "lock", "lease", "pause" }, seeds = 20, limit = 10*min,
  cluster = { members = 3 },
  network = { latency = { 10*ms, 150*ms } },
  run = function(c)
    c:await_leader { within = 20*s }
    local clients = contenders(c, 5, function(cli)
      for _ = 1, 6 do
        local lease = cli:grant(2*s)
        if lease then
          lease:auto(true)
          local lock = cli:lock("door", { lease = lease, within = 10*s })
          sleep(random(1.0, 3.0))
          if lock then cli:unlock(lock) end
          lease:auto(false)
          lease:revoke()
        end
      end
    end)
    for _ = 1, 15 do
      sleep(random(0.0, 1.0))
      local cli = choose(clients)
      -- It reads an answer from before, and has no time to ask again.
      for _, length in ipairs { random(0.5, 1.5), 4.0 } do
        cli:pause()
        sleep(length)
        cli:resume()
        sleep(random(0.0, 0.6))
      end
    end
  end,
}

-- A lease can be ended by others while its owner waits in the queue: woken, the
-- waiter must find out that it stands there no more.
scenario "lock: a waiter's lease is revoked" {
  tags = { "lock", "lease" }, seeds = 20, limit = 10*min,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    for round = 1, 5 do
      local name = "gate" .. round
      local first = c:client()
      local held = first:lock(name)
      local leases = {}
      for i = 1, 3 do
        local cli = c:client()
        leases[i] = cli:grant(60*s)
        sleep(20*ms + random() * 50*ms)
        spawn(function()
          -- By its number: the client itself knows nothing of the lease's end.
          local lock = cli:lock(name, { lease = leases[i].id })
          if lock then
            sleep(200*ms + random() * 300*ms)
            cli:unlock(lock)
          end
        end)
      end
      sleep(200*ms)
      -- One of those who wait loses its lease, unasked.
      leases[random(1, 2)]:revoke()
      sleep(random() * 100*ms)
      first:unlock(held)
      sleep(2*s)
    end
  end,
}

-- A holder that sleeps past its lease wakes up and writes, believing what it believed.
-- Nobody can keep it from that but what it writes to: with the token of the lock as a
-- condition the write is refused.
scenario "lock: only a fencing token keeps a sleeper out" {
  tags = { "lock" }, seeds = 10, limit = 10*min,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local sleeper, other = c:client(), c:client()
    local lease = sleeper:grant(2*s)
    lease:auto(true)
    local lock = sleeper:lock("door", { lease = lease })
    sleeper:pause()
    local mine = other:lock("door")
    expect(mine.revision > lock.revision, "the next holder has a greater token")
    other:put("plain", "other's")
    other:txn { compare = { { mine.key, "create", "=", mine.revision } }, success = { { "put", "fenced", "other's" } } }
    sleeper:resume()
    sleep(100*ms)
    sleeper:put("plain", "sleeper's")
    sometimes("a lock alone does not keep the sleeper out", other:get("plain") == "sleeper's")
    local done = sleeper:txn {
      compare = { { lock.key, "create", "=", lock.revision } },
      success = { { "put", "fenced", "sleeper's" } },
    }
    expect(done and not done.succeeded, "its token is too old")
    expect(other:get("fenced") == "other's", "what is fenced is the holder's")
  end,
}
