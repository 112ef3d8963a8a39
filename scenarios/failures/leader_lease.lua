-- "The new leader extends timeouts automatically for all leases. This mechanism
-- ensures a lease will not expire before the granted TTL even if it was granted by
-- the old leader." The lease judge holds every run to it in true time: no key goes
-- before the invocation of its lease's last renewal + TTL, nor, unless renewed since,
-- before the leader's promotion + E + TTL. The scenarios see to it that it matters.

local common = require "common"
local E = common.E

-- So many leases of one TTL, granted by several calls at a time. The first ones hold
-- a key each.
local function grant(c, cli, count, ttl)
  local leases = {}
  local function some(from, step)
    for i = from, count, step do
      leases[i] = cli:grant(ttl(i))
      if i <= 20 then cli:put("held" .. i, "x", { lease = leases[i] }) end
    end
  end
  local handles = math.min(count, 100)
  local done = 0
  for i = 1, handles do
    spawn(function()
      some(i, handles)
      done = done + 1
    end)
  end
  eventually(function() return done == handles end, { within = 5*min, every = 50*ms })
  return leases
end

local function take_over(c, old, how)
  if how == "transfer" then
    c:move_leader(choose(c:followers()))
  else
    common.fail(c, old, how)
  end
  return c:await_leader { other_than = old, within = 60*s }
end

for _, k in ipairs { 1, 999, 1000, 5000 } do
  scenario("a new leader extends every lease, k=" .. k) {
    claims = { "leader.lease-extended" },
    measures = { ["leader.lease-extended"] = { "first_gone_after_promotion", "all_gone_after_promotion", "busiest_second", "lease_margin" } },
    note = "every lease gets its whole TTL anew, and an election timeout more; a thousand that would end together are spread",
    seeds = k < 5000 and 30 or 10,
    cluster = { members = 3 },
    run = function(c)
      c:await_leader { within = 10*s }
      local cli = c:client()
      -- Equal ones when there are many, so that spreading matters; else of all kinds.
      local ttl = k >= 1000 and function() return 10 end or function(i) return 2 + i % 9 end
      local leases = grant(c, cli, k, ttl)
      local least = 10
      for i = 1, k do least = math.min(least, ttl(i)) end
      sleep(random() * 1*s)
      local old, promoted = c:leader(), nil
      at("promote", {}, function(m) if m ~= old then promoted = promoted or now() end end)
      local gone = {}
      at("apply Revoke", {}, function(m) if m == c:leader() then gone[#gone + 1] = now() end end)
      local how = choose { "crash", "pause", "isolate", "transfer" }
      local new = take_over(c, old, how)
      eventually(function() return promoted end, { within = 5*s })
      local there = c:client { endpoints = { new } }
      expect(#there:leases() == k, "none is lost")
      local rest = leases[k]:ttl()
      expect(not rest or rest >= promoted + E + ttl(k) - now() - 1*s, "and each has its whole TTL before it")
      -- Each goes in the end, none before P + E + TTL, and not all at once.
      eventually(function() return #there:leases() == 0 end, { within = 1*min + k / 500, every = 500*ms })
      expect(gone[1] >= promoted + E + least, "none goes before promotion + E + TTL")
      record("first_gone_after_promotion", gone[1] - promoted)
      record("all_gone_after_promotion", gone[#gone] - promoted)
      -- Five hundred are taken every half second; how long each batch takes to be
      -- committed moves its end by some milliseconds.
      local busiest, from = 0, 1
      for i, t in ipairs(gone) do
        while t - gone[from] >= 900*ms do from = from + 1 end
        busiest = math.max(busiest, i - from + 1)
      end
      record("busiest_second", busiest)
      expect(busiest <= 1000, "at most a thousand in any second")
      if k > 1000 then
        expect(gone[#gone] - gone[1] >= (k - 1000) / 750, "spread at 750 a second")
      end
      record("lease_margin", c:lease_margin())
      for _, name in ipairs { "crash", "pause", "isolate", "transfer" } do sometimes(name, how == name) end
      if how ~= "transfer" then common.restore(c, old, how) end
    end,
  }
end

-- Renewed until the last moment at whoever leads, or led: crash, cut and pause at any
-- phase, over and over, under clocks that do not agree how long a second is.
for _, n in ipairs { 3, 5, 7 } do
  scenario("no lease ends before its time, whoever leads, n=" .. n) {
    claims = { "leader.lease-kept", "leader.lease-extended" },
    measures = { ["leader.lease-kept"] = { "lease_margin", "renewals" }, ["leader.lease-extended"] = { "lease_margin" } },
    note = "in true time a TTL is as short as the fastest clock makes it: TTL/(1 + drift)",
    seeds = 100,
    cluster = { members = n },
    clock = { drift = 0.001 },
    run = function(c)
      c:await_leader { within = 10*s }
      common.load(c, { rate = 50 })
      local cli = c:client { keepalive = { every = 500*ms, timeout = 500*ms } }
      local renewals, stop = 0, false
      local leases = {}
      for i = 1, 6 do
        leases[i] = cli:grant(random(2, 5) * s)
        cli:put("held" .. i, "by " .. i, { lease = leases[i] })
      end
      -- Some are renewed all along, some now and then, some never.
      for i = 1, 4 do
        spawn(function()
          while not stop do
            if leases[i]:keepalive() then renewals = renewals + 1 end
            sleep(i <= 2 and 100*ms or random() * 2*s)
          end
        end)
      end
      for round = 1, 3 do
        sleep(random() * 1*s)
        local old = c:leader() or c:await_leader { within = 30*s }
        local how = choose { "crash", "power", "pause", "isolate" }
        common.fail(c, old, how)
        c:await_leader { other_than = old, within = 60*s }
        sleep(random() * 4*s)
        common.restore(c, old, how)
      end
      sleep(1*s)
      stop = true
      eventually(function()
        for i = 1, 6 do
          if cli:get("held" .. i) ~= nil then return false end
        end
        return true
      end, { within = 1*min, every = 200*ms })
      record("renewals", renewals)
      record("lease_margin", c:lease_margin())
    end,
  }

  -- A leader that hangs does not know that it has been replaced. When it goes on, it
  -- still believes in its leases: what it promises then, and what it takes for
  -- expired, must not count (etcd-behaviour §3.5).
  scenario("a leader that was replaced while it hung, n=" .. n) {
    claims = { "leader.lease-kept" },
    measures = { ["leader.lease-kept"] = { "lease_margin" } },
    seeds = 100,
    cluster = { members = n },
    run = function(c)
      local old = c:await_leader { within = 10*s }
      local rest = common.others(c, { old })
      local inside = c:client { endpoints = { old }, timeout = 2*s }
      local outside = c:client { endpoints = rest }
      local near, far = outside:grant(3*s), outside:grant(3*s)
      expect(outside:put("near", "1", { lease = near }) and outside:put("far", "1", { lease = far }))
      local stop = false
      -- Each is renewed by a client of its own: one stays with the old leader, the
      -- other with whoever leads.
      local lease = inside:grant(3*s)
      expect(inside:put("inside", "1", { lease = lease }))
      spawn(function()
        while not stop do
          lease:keepalive()
          sleep(50*ms)
        end
      end)
      spawn(function()
        while not stop do
          far:keepalive()
          sleep(100*ms)
        end
      end)
      sleep(random() * 1*s)
      local cut = choose { true, false }
      old:pause()
      if cut then c:partition({ old, inside }, rest) end
      c:await_leader { other_than = old, within = 60*s }
      sleep(random() * 6*s)
      old:resume()
      sleep(random() * 3*s)
      if cut then c:heal() end
      sleep(random() * 3*s)
      stop = true
      eventually(function() return outside:get("far") == nil and outside:get("inside") == nil end, { within = 30*s, every = 200*ms })
      if c:lease_margin() then record("lease_margin", c:lease_margin()) end
      sometimes("the old leader stays cut off", cut)
    end,
  }
end
