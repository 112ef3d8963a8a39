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
        local options = { prev_kv = random(2) == 1, progress = random(2) == 1 }
        options.rev = from and from + random(-10, 20) or nil
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
          if random(10) == 1 then watch:progress() end
        end
        watch:cancel()
      end
    end)
  end
end

for _, n in ipairs { 3, 5 } do
  scenario("watch: members fail, lag and are sent snapshots, n=" .. n) {
    tags = { "watch", "failover", "snapshot", "compaction" }, seeds = 20,
    cluster = { members = n, snapshot_entries = 10, catchup_entries = 5, progress_notify = 200*ms },
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

-- Receivers that take nothing for a while, or little all the time: their watches fall
-- behind, hold up nobody, and catch up from history; or learn that it was compacted.
scenario "watch: receivers are slow, and catch up or are told" {
  tags = { "watch", "slow receiver", "compaction" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 200, catchup_entries = 50 },
  network = { window = 8*KiB },
  run = function(c)
    c:await_leader { within = 10*s }
    c:load { clients = 2, rate = 200, mix = { put = 3, delete = 1, txn = 1 }, keys = 10 }
    compactor(c, 2*s)
    for i = 1, 4 do
      local cli = c:client()
      if i == 4 then
        for _, m in ipairs(c:members()) do c:link(m, cli, { bandwidth = 20*KiB }) end
      end
      spawn(function()
        local watch
        for round = 1, 4 do
          watch = watch or cli:watch("k", { ["end"] = "l", prev_kv = random(2) == 1, fragment = random(2) == 1 })
          sleep(random() * 1*s)
          local before = c[1].revision
          local pauses = i < 4 and random(3) > 1
          if pauses then
            cli:pause()
            sleep(random() * 4*s)
            local m = c[random(3)]
            if random(4) == 1 and m.alive then m:crash() end
            cli:resume()
            if watch then watch:progress() end
          end
          local stop = now() + 3*s
          while watch and now() < stop do
            local event, err = watch:next { within = 500*ms }
            if event then
              sometimes("an event comes 200 revisions late", c[1].revision > event.mod_revision + 200)
              sometimes("a slow link is caught up", i == 4 and event.mod_revision > before)
            elseif err.code == "compacted" then
              sometimes("history was compacted before it was caught up", true)
              watch = nil
            end
          end
          for _, m in ipairs(c:members()) do
            if not m.alive then m:restart() end
          end
        end
      end)
    end
    sleep(25*s)
  end,
}

-- What is larger than one request may be comes in parts where that was asked for, and
-- whole to whoever watches: transactions, deletions of many keys, history.
scenario "watch: batches too large for one message" {
  tags = { "watch", "fragment" }, seeds = 20,
  cluster = { members = 3, max_request = 2*KiB },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    for i = 1, 4 do
      local reader = c:client()
      spawn(function()
        local rev
        for round = 1, 12 do
          local watch = reader:watch("k", { ["end"] = "l", rev = rev, prev_kv = random(4) > 1, fragment = i < 4 })
          local stop = now() + random() * 1*s
          while now() < stop do
            local event = watch:next { within = 200*ms }
            if event and event.type == "delete" and event.prev then
              sometimes("a deletion carries what was there", true)
            end
            if random(40) == 1 then reader:disconnect() end
          end
          watch:cancel()
          rev = random(3) == 1 and math.max(1, c[1].revision - random(0, 30)) or nil
        end
      end)
    end
    for round = 1, 60 do
      local puts = {}
      for i = 1, random(1, 8) do puts[i] = { "put", "k" .. i, string.rep("v", random(1, 200)) } end
      cli:txn { success = puts }
      for i = 1, 3 do cli:put("k" .. random(10, 40), string.rep("w", random(1, 300))) end
      if random(5) == 1 then cli:delete("k", "l") end
      local m = choose(c:members())
      if random(15) == 1 and m.alive then m:crash() end
      for _, m in ipairs(c:members()) do
        if not m.alive and random(3) == 1 then m:restart() end
      end
      sleep(random() * 50*ms)
    end
  end,
}

-- A watch with nothing to tell is told how far it is, and begins there when it has to
-- begin anew: what was compacted before is none of its business.
scenario "watch: bookmarks of quiet watches" {
  tags = { "watch", "progress", "compaction" }, seeds = 20,
  cluster = { members = 3, progress_notify = 500*ms },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    cli:put("k1", "v")
    local all = cli:watch("", { ["end"] = "\0", rev = 1 })
    expect(all:next { within = 5*s }.key == "k1", "without a key: all there are")
    all:cancel()
    local quiet = cli:watch("z", { progress = true })
    local asked = cli:watch("y")
    sleep(100*ms)
    c:load { clients = 2, rate = 100, mix = { put = 3, delete = 1 }, keys = 10 }
    for round = 1, 5 do
      sleep(random(1, 3) * 1*s)
      local revision = c:leader() and c:leader().revision or 0
      eventually(function() return quiet.revision >= revision end, { within = 20*s })
      eventually(function()
        asked:progress()
        return asked.revision >= revision
      end, { every = 100*ms, within = 20*s })
      cli:compact(revision)
      local m = choose(c:members())
      if random(2) == 1 then cli:disconnect() else m:crash() end
      sleep(random() * 1*s)
      if not m.alive then m:restart() end
    end
    c:await_healthy { within = 20*s }
    cli:put("z", "v")
    cli:put("y", "v")
    expect(quiet:next { within = 20*s }, "it goes on from its bookmark")
    expect(asked:next { within = 20*s }, "and so does one that asked")
  end,
}

-- Nobody writes any more, so that nothing but the watch itself makes it move.
scenario "watch: a quiet cluster tells all the same" {
  tags = { "watch", "snapshot" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 10, catchup_entries = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    local m = choose(c:followers())
    local cli = c:client { endpoints = { m } }
    local now_on = cli:watch("k")
    local first = cli:put("k", "0")
    for i = 1, 5 do cli:put("k", tostring(i)) end
    for i = 0, 5 do
      local event = now_on:next { within = 2*s }
      expect(event and event.value == tostring(i), "what came after the watch")
    end
    local past = cli:watch("k", { rev = first })
    for i = 0, 5 do
      local event = past:next { within = 2*s }
      expect(event and event.value == tostring(i), "what was before the watch")
    end
    local others = {}
    for _, other in ipairs(c:members()) do
      if other ~= m then
        others[#others + 1] = other
        c:cut(other, m)
        c:cut(m, other)
      end
    end
    local writer = c:client { endpoints = others }
    for i = 6, 20 do expect(writer:put("k", tostring(i)), "written by the others") end
    for _ = 1, 30 do expect(writer:grant(60*s), "what no watch is told of") end
    c:heal()
    for i = 6, 20 do
      local event = now_on:next { within = 10*s }
      expect(event and event.value == tostring(i), "what a snapshot has brought")
    end
  end,
}

-- More than one batch takes: what belongs to one revision stays together.
scenario "watch: from far back, in more than one batch" {
  tags = { "watch" }, seeds = 5,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local cli = c:client()
    local first = cli:put("k", "0")
    for i = 1, 450 do
      local puts = {}
      for k = 1, random(1, 7) do puts[k] = { "put", "k" .. k, tostring(i) } end
      expect(cli:txn { success = puts }, "written")
    end
    local last = cli:put("k", "1")
    local watch = cli:watch("k", { rev = first, ["end"] = "l" })
    local seen = 0
    while seen < last do
      local event = watch:next { within = 2*s }
      expect(event and event.mod_revision >= seen, "the next one")
      seen = event.mod_revision
      if random(200) == 1 then cli:disconnect() end
    end
  end,
}
