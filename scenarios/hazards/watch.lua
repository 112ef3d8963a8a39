-- Watches across failovers, snapshots and compactions. The judge of watches knows every
-- change there was and holds each watch to all six promises.

-- Compact now and then, close behind the newest revision.
local function compactor(c, every)
  local cli = c:client { timeout = 3*s }
  spawn(function()
    for i = 1, 30 do
      sleep(random() * every)
      local status = cli:status(choose(c:members()))
      local revision = status and status.revision or 0
      if revision > 20 then cli:compact(revision - random(0, 15)) end
    end
  end)
end

-- Watches that are open all the time: of one key, of all, from now and from the past.
local function readers(c, count)
  local seen = {}
  for i = 1, count do
    local cli = c:client { endpoints = i % 2 == 0 and { choose(c:members()) } or nil }
    spawn(function()
      for round = 1, 6 do
        local from = random(3) > 1 and (seen[1] or 0) or nil
        local options = { rev = from and from + random(-10, 20) or nil, prev_kv = random(2) == 1 }
        if options.rev and options.rev < 1 then options.rev = 1 end
        local key = "k" .. random(0, 19)
        if random(2) == 1 then key, options["end"] = "k", "l" end
        local watch = cli:watch(key, options)
        local stop = now() + random() * 6*s
        while now() < stop do
          local event, err = watch:next { within = 1*s }
          if event then seen[1] = event.mod_revision
          elseif err.code == "compacted" then break end
          if random(50) == 1 then cli:disconnect() end
        end
        watch:cancel()
      end
    end)
  end
end

for _, n in ipairs { 3, 5 } do
  scenario("watch: members fail, lag and are sent snapshots, n=" .. n) {
    tags = { "watch", "failover", "snapshot", "compaction" }, seeds = 20,
    cluster = { members = n, snapshot_entries = 10, catchup_entries = 5 },
    run = function(c)
      c:await_leader { within = 10*s }
      c:load { clients = 4, rate = 60, mix = { put = 3, delete = 2, txn = 1, watch = 2, lease = 1 }, keys = 20 }
      readers(c, 4)
      compactor(c, 2*s)
      for round = 1, 5 do
        sleep(random() * 2*s)
        local m, what = choose(c:members()), random(5)
        local length = random() * 3*s
        if what == 1 then m:crash() sleep(length) m:restart()
        elseif what == 2 then m:pause() sleep(length) m:resume()
        elseif what == 3 then c:isolate(m) sleep(length) c:heal()
        elseif what == 4 then m:slow(1e4, "apply") sleep(length) m:slow(1, "apply")
        else m:power_off() sleep(length) m:restart() end
      end
      sleep(2*s)
    end,
  }
end

-- One that lags is asked for what it does not have yet, and gets it with a snapshot.
scenario "watch: a laggard is watched for the future" {
  tags = { "watch", "snapshot" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 10, catchup_entries = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    c:load { clients = 2, rate = 80, mix = { put = 3, delete = 1 }, keys = 10 }
    local cli = c:client()
    for round = 1, 4 do
      local late = choose(c:followers())
      local there = c:client { endpoints = { late } }
      local watches = {}
      c:isolate(late)
      sleep(random() * 2*s)
      for i = 1, 6 do
        local status = cli:status(c:leader())
        local revision = (status and status.revision or late.revision) + random(-40, 40)
        watches[i] = there:watch("k", { ["end"] = "l", rev = revision > 0 and revision or 1 })
      end
      sleep(random() * 1*s)
      c:heal()
      local stop = now() + 2*s
      while now() < stop do
        for i = 1, 6 do watches[i]:next { within = 20*ms } end
      end
      for i = 1, 6 do watches[i]:cancel() end
    end
  end,
}

-- Compaction ends where something was deleted; who begins there is told of it.
scenario "watch: from the revision of a compaction on" {
  tags = { "watch", "compaction" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    for round = 1, 20 do
      for i = 1, random(1, 8) do
        local key = "k" .. random(0, 5)
        if random(2) == 1 then cli:put(key, "v") else cli:delete(key) end
      end
      local revision = c:leader().revision
      local target = revision - random(0, 3)
      if target > 1 then cli:compact(target) end
      sleep(random() * 20*ms)
      local watch = cli:watch("k", { ["end"] = "l", rev = math.max(1, target + random(0, 2)) })
      cli:put("k9", "after")
      local event
      repeat event = watch:next { within = 500*ms } until not event or event.key == "k9"
      watch:cancel()
    end
  end,
}
