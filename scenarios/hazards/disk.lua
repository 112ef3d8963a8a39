-- Disks that fail while a cluster works. What etcd promises: with whole disks at a
-- quorum nothing acknowledged is lost, whatever one machine's power does; a member
-- that cannot trust its disk stops and says so, and the others go on.

local function work(c)
  return c:load { clients = 4, rate = 100, mix = { put = 1, get = 1 }, keys = 20 }
end

-- A power loss in the middle of a sync leaves any part of what was unsynced: the
-- torn tail is cut, everything promised is still there.
scenario "disk: power of one member fails in a sync" {
  tags = { "disk", "power" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 50, catchup_entries = 10 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    for round = 1, 4 do
      local victim = choose(c:members())
      local hit = false
      at("before:sync Entry", { member = victim, nth = random(1, 5) }, function(m)
        hit = true
        m:power_off()
      end)
      eventually(function() return hit end, { within = 5*s })
      sleep(random() * 2*s)
      victim:restart()
      sleep(1*s)
    end
  end,
}

-- A majority, or everybody, goes dark in one instant, each with a torn tail of its own.
scenario "disk: power of a majority or of all members fails at once" {
  tags = { "disk", "power" }, seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    for round = 1, 4 do
      sleep(random() * 3*s)
      local dark = shuffle(c:members())
      local count = random(3, 5)
      for i = 1, count do dark[i]:power_off() end
      sleep(500*ms)
      for i = 1, count do
        dark[i]:restart()
        sleep(random() * 300*ms)
      end
      c:await_leader { within = 20*s }
    end
  end,
}

-- A crash is not a power loss: the page cache survives, and a member that comes
-- back may know more than was durable. It must not act on that before a sync.
scenario "disk: a crash before every kind of step" {
  tags = { "disk", "crash" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 50, catchup_entries = 10 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    local points = { "before:append HardState", "after:append Entry", "before:sync HardState", "after:sync Entry",
                     "before:rename snap", "after:rename snap", "before:syncdir", "send MsgAppResp" }
    for round = 1, 6 do
      local victim = choose(c:members())
      at(choose(points), { member = victim, nth = random(1, 3) }, function(m)
        if random(2) == 1 then m:crash() else m:power_off() end
      end)
      sleep(3*s)
      if victim.alive then victim:crash() end -- Its moment did not come, or an older one came.
      victim:restart()
      sleep(1*s)
    end
  end,
}

-- Votes under fire: every leader that is found loses its power while it is young.
scenario "disk: power fails during elections" {
  tags = { "disk", "power", "election" }, seeds = 20,
  cluster = { members = 3, pre_vote = false },
  run = function(c)
    for round = 1, 8 do
      local hit
      at("send MsgVoteResp", { nth = 1 }, function(m)
        if not hit then
          hit = m
          m:power_off()
        end
      end)
      local old = c:leader()
      if old then old:crash() end
      sleep(2*s)
      if hit then hit:restart() end
      if old then if not old.alive then old:restart() end end
      sleep(random() * 2*s)
    end
  end,
}

-- A failed sync may have lost what it was to save: the member stops rather than
-- promise it, and comes back with what its disk really has.
scenario "disk: syncs fail on one member" {
  tags = { "disk", "error" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    local victim = choose(c:members())
    victim:disk { error = { sync = 20000*ppm } }
    eventually(function() return not victim.alive end, { within = 60*s })
    expect(victim.exit:find("disk"), "the member says that its disk made it stop")
    local rest = c:await_leader { other_than = victim, within = 10*s }
    expect(rest.alive, "the others go on")
    victim:disk { error = { sync = 0 } }
    victim:restart()
    sleep(2*s)
    expect(victim.alive, "with a disk that works it serves again")
  end,
}

scenario "disk: one disk is full" {
  tags = { "disk", "full" }, seeds = 10,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    sleep(1*s)
    local victim = choose(c:members())
    victim:disk { full = victim.disk_used + 2*KiB }
    eventually(function() return not victim.alive end, { within = 60*s })
    expect(victim.exit:find("disk"), "the member says that its disk made it stop")
    sleep(3*s)
    c:await_leader { within = 30*s } -- The others go on.
    victim:disk { full = 1024*MiB }
    victim:restart()
  end,
}

-- A log that holds room ahead finds its disk full between two records, not within one:
-- the reason says so, and nothing that was promised is half there.
scenario "disk: one disk is full, with room held ahead" {
  tags = { "disk", "full" }, seeds = 10,
  cluster = { members = 3, segment = 16*KiB, preallocate = 4*KiB },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    sleep(1*s)
    local victim = choose(c:members())
    victim:disk { full = victim.disk_used + 2*KiB }
    eventually(function() return not victim.alive end, { within = 60*s })
    expect(victim.exit:find("allocate: found the disk is full"), "found when room was asked for")
    sleep(3*s)
    c:await_leader { within = 30*s }
    victim:disk { full = 1024*MiB }
    victim:restart()
  end,
}

-- A bit flips in what was durable: found at the next start, by checksum, and the
-- member refuses to guess. The operator replaces it; here it stays away.
scenario "disk: bits rot on one member" {
  tags = { "disk", "rot" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    sleep(5*s)
    local victim = choose(c:members())
    victim:crash()
    victim:disk { rot = 1 }
    victim:restart()
    sleep(3*s)
    record("refused", victim.alive and 0 or 1)
    if not victim.alive then
      expect(victim.exit:find("disk"), "the member says what is wrong with its disk")
    end
    c:await_leader { within = 30*s } -- The others go on.
  end,
}

-- An uncommitted tail is replaced while the write of the old one is still under way
-- (asynchronous writes make that possible): the late answer is about another entry.
scenario "disk: a tail is rewritten while the disk is slow" {
  tags = { "disk", "rewritten" }, seeds = 20,
  cluster = { members = 3 },
  disk = { sync = { 0.5*ms, 800*ms } },
  run = function(c)
    c:await_leader { within = 30*s }
    local cli = c:client()
    for round = 1, 6 do
      local old = c:leader()
      if old then
        c:isolate(old)
        local lonely = c:client { endpoints = { old }, timeout = 2*s }
        for i = 1, 5 do lonely:async("put", "k" .. i, "lost " .. round) end
        sleep(random() * 1500*ms)
        c:heal()
        old:stall { timer = 1*s }
      end
      cli:async("put", "k", "kept " .. round)
      sleep(3*s)
      -- What is read back is what replaced the tail.
      if old then
        if random(2) == 1 then old:crash() else old:power_off() end
        old:restart()
      end
    end
  end,
}

-- Segments of a few kilobytes: the log is cut, its new name made durable and old
-- segments let go all the time, and power fails at each of these steps.
scenario "disk: power fails while a segment is cut" {
  tags = { "disk", "segment" }, seeds = 20,
  cluster = { members = 3, segment = 4*KiB, snapshot_entries = 40, catchup_entries = 10 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    local points = { "before:rename segment", "after:rename segment", "before:syncdir", "after:syncdir",
                     "before:sync segment", "before:remove segment", "after:rename snap" }
    for round = 1, 6 do
      local struck = false
      for _, m in ipairs(c:members()) do
        at(choose(points), { member = m, nth = random(1, 4) }, function(victim)
          if not struck then
            struck = true
            -- All at once, so that nobody can help out with what is lost.
            for _, other in ipairs(c:members()) do
              if other.alive then other:power_off() end
            end
          end
        end)
      end
      sleep(4*s)
      for _, m in ipairs(c:members()) do
        if not m.alive then m:restart() end
      end
      sleep(2*s)
    end
  end,
}

-- A cluster of one has nobody else to remember: what it answers must be on its disk.
scenario "disk: power fails on a single member" {
  tags = { "disk", "power", "single" }, seeds = 20,
  cluster = { members = 1 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    for round = 1, 5 do
      sleep(random() * 1*s)
      c[1]:power_off()
      c[1]:restart()
      c:await_leader { within = 10*s }
    end
  end,
}

-- A sector lands where it was not meant to be: what lay there is damaged, and where it
-- should be there is nothing. Found at the next start, and refused.
scenario "disk: writes of one member are misdirected" {
  tags = { "disk", "misdirect" }, seeds = 20,
  cluster = { members = 3, snapshot_entries = 100, catchup_entries = 20 },
  run = function(c)
    c:await_leader { within = 10*s }
    work(c)
    sleep(1*s)
    local victim = choose(c:members())
    victim:disk { misdirect = 20000*ppm }
    sleep(2*s)
    -- What is synced after it bears witness to what was synced before.
    victim:disk { misdirect = 0 }
    sleep(1*s)
    if victim.alive then victim:crash() end
    victim:restart()
    sleep(2*s)
    record("refused", victim.alive and 0 or 1)
    c:await_leader { within = 30*s } -- The others go on.
  end,
}

-- A drive that says "synced" and is not, on one of three: a quorum that counts it is one
-- short, and no protocol can know. The judges do: they ask the medium.
scenario "disk: a drive lies about sync" {
  tags = { "disk", "lie" }, seeds = 20, tolerance = "lossy",
  shows = { "commit", "persisted", "vote", "completeness", "durability" },
  cluster = { members = 3 },
  run = function(c)
    c:await_leader { within = 10*s }
    local liar = choose(c:members())
    liar:disk { lie = true }
    work(c)
    for round = 1, 3 do
      sleep(1*s + random() * 1*s)
      liar:power_off()
      sleep(500*ms)
      liar:restart()
    end
    record("refused", liar.alive and 0 or 1)
  end,
}
