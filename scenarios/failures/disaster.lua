-- "If the cluster loses a majority of its members permanently, it needs an operator":
-- a backup that was taken in time, or the survivor that knows most
-- (etcd-behaviour §4.5, §4.6, S3, S17b, S18).

local function lose_majority(c)
  local survivors, order = {}, shuffle(c:members())
  local q = #order // 2 + 1
  for i, m in ipairs(order) do
    if i <= q then
      m:power_off()
      m:wipe()
    else
      survivors[#survivors + 1] = m
    end
  end
  return survivors
end

for _, n in ipairs { 3, 5, 7 } do
  scenario("a majority is lost for good: a backup is restored, n=" .. n) {
    claims = { "majority.disaster", "backup.always" },
    measures = { ["majority.disaster"] = { "restored_in", "lost_revisions" } },
    seeds = 50,
    cluster = { members = n },
    tolerance = "lossy",
    run = function(c)
      local cli = c:client()
      expect(cli:put("before", "there"), "the cluster serves")
      local load = c:load { clients = 8, rate = 200, mix = { put = 1, get = 1 } }
      sleep(random() * 3*s)
      local backup = c:backup(choose(c:members()))
      expect(backup, "any member gives a backup under load")
      sleep(random() * 2*s)
      local old = c[1].cluster_id
      local survivors = lose_majority(c)
      load:stop()
      sleep(2*s)
      for _, m in ipairs(survivors) do
        expect(m.role ~= "leader", "who is left leads nobody")
      end

      local t = now()
      local members = c:restore(backup)
      expect(members and #members == n, "a new cluster, as large as the old one")
      record("restored_in", now() - t)
      record("lost_revisions", c:lost())
      local new = c:client { endpoints = members }
      expect(new:get("before") == "there", "what was in the backup is there")
      local revision = new:put("after", "written")
      expect(revision, "and it takes writes")
      expect(revision > backup.revision, "which go on from the backup's revision")
      for _, m in ipairs(members) do
        expect(m.cluster_id ~= old, "under new ids")
      end

      -- The survivors are of another cluster: refused, and harmless.
      local frozen = {}
      for i, m in ipairs(survivors) do frozen[i] = m.commit end
      sleep(5*s)
      for i, m in ipairs(survivors) do
        expect(m.cluster_id == old and m.leader == nil, "a survivor of the old cluster follows nobody")
        expect(m.commit == frozen[i], "and learns nothing of the new one")
      end
      c:await_healthy { within = 20*s }
    end,
  }
end

scenario "a majority is lost for good: the most advanced survivor goes on alone" {
  claims = { "majority.disaster" },
  measures = { ["majority.disaster"] = { "forced_in" } },
  seeds = 50,
  cluster = { members = 5 },
  tolerance = "lossy",
  run = function(c)
    local cli = c:client()
    local load = c:load { clients = 8, rate = 200, mix = { put = 1, get = 1 } }
    expect(cli:put("before", "there"), "the cluster serves")
    sleep(1*s + random() * 3*s)
    local survivors = lose_majority(c)
    load:stop()
    local best = survivors[1]
    for _, m in ipairs(survivors) do
      if m.last_term > best.last_term or (m.last_term == best.last_term and m.last_index > best.last_index) then
        best = m
      end
    end
    -- Two clusters under one id must never meet: the other survivor goes first.
    for _, m in ipairs(survivors) do
      if m.alive then m:crash() end
      if m ~= best then m:wipe() end
    end
    local old = best.cluster_id
    local t = now()
    expect(c:force_new_cluster(best), "it goes on alone")
    record("forced_in", now() - t)
    record("lost_revisions", c:lost())
    expect(best.cluster_id == old, "under its old ids")
    local alone = c:client { endpoints = { best } }
    expect(alone:put("after", "written"), "and takes writes")
    expect(alone:get("before") == "there", "with what it had")
    expect(#alone:members() == 1, "as the only member")
    best:power_off()
    best:restart()
    expect(alone:get("after") == "written", "and stays so over a restart")
  end,
}

-- The survivors of a cluster under the old token are peers by name and address, and some
-- even by their ids; only the cluster's id tells them apart. It is enough.
scenario "restored under the old token: survivors are refused all the same" {
  claims = { "majority.disaster" },
  seeds = 100,
  cluster = { members = 5, token = "old" },
  tolerance = "lossy",
  run = function(c)
    local cli = c:client()
    expect(cli:put("k", "1"), "the cluster serves")
    local backup = c:backup(1)
    for i = 1, 3 do
      c[i]:power_off()
      c[i]:wipe()
    end
    local members = c:restore(backup, { members = { 1, 2, 3 }, token = "old" })
    expect(members, "the three that lost their disks are restored")
    local new = c:client { endpoints = members }
    expect(new:put("k", "2"), "and serve")
    sleep(10*s)
    for i = 4, 5 do
      expect(c[i].alive and c[i].leader == nil, "a survivor follows nobody")
      expect(c[i].cluster_id ~= c[1].cluster_id, "for it is of another cluster")
    end
    c:await_healthy { within = 20*s }
  end,
}

-- Whatever else goes on: a backup is the state at its revision, or it is none.
scenario "a backup under load and faults restores to what its member had" {
  claims = { "backup.always" },
  measures = { ["backup.always"] = { "backup_bytes" } },
  seeds = 100,
  cluster = { members = 3, snapshot_entries = 200, catchup_entries = 50 },
  tolerance = "lossy",
  run = function(c)
    local cli = c:client()
    local leases = {}
    for i = 1, 3 do
      leases[i] = cli:grant(60)
      expect(leases[i] and cli:put("leased/" .. i, "x", { lease = leases[i] }), "leases with keys")
    end
    local load = c:load { clients = 8, rate = 300, mix = { put = 3, get = 2, delete = 1, txn = 1 }, value = 500 }
    spawn(function() c:nemesis { kinds = { "crash", "isolate", "pause" }, every = exponential(2*s), during = 6*s } end)
    spawn(function()
      sleep(2*s)
      cli:compact(math.max(1, (cli:put("mark", "here") or 2) - 50))
    end)
    local backup
    eventually(function()
      sleep(random() * 1*s)
      backup = c:backup(choose(c:members()))
      return backup
    end, { within = 60*s })
    record("backup_bytes", backup.size)
    sleep(8*s)
    load:stop()
    c:heal()
    local members = c:restore(backup, { token = "elsewhere" })
    expect(members, "restored")
    local new = c:client { endpoints = members }
    for i = 1, 3 do
      expect(new:get("leased/" .. i, { serializable = true }) == "x", "keys with leases are there")
    end
    expect(#new:leases() == 3, "and their leases")
    local count = new:range("\1", "\0", { count_only = true, rev = backup.revision })
    expect(count, "the backup's revision can be read")
    local t = now()
    -- Nobody keeps them alive: each has its whole TTL again, from the new cluster's
    -- first leader on, and no more than etcd gives it.
    eventually(function() return new:get("leased/1") == nil end, { within = 80*s, every = 1*s })
    expect(now() - t > 55*s, "with the whole of their TTL")
    c:await_healthy { within = 20*s }
  end,
}

scenario "a restored cluster equals the source by hash" {
  claims = { "backup.always" },
  seeds = 50,
  cluster = { members = 3 },
  tolerance = "lossy",
  run = function(c)
    local load = c:load { clients = 8, rate = 200, mix = { put = 3, delete = 1, lease = 1 } }
    sleep(4*s + random() * 2*s)
    load:stop()
    c:await_converged { within = 20*s }
    local hash = c[1].store_hash
    local backup = c:backup(choose(c:members()))
    expect(backup.hash == hash, "the backup says so itself")
    local members = c:restore(backup)
    expect(members, "restored on machines of their own")
    for _, m in ipairs(members) do
      expect(m.store_hash == hash, "the same store, lease for lease")
    end
  end,
}

-- Clients of the old cluster have seen revisions beyond the backup's: a bump takes the
-- new one beyond them, and a mark tells their watches that they have missed something.
scenario "a restored cluster need not go back in time" {
  claims = { "backup.always" },
  seeds = 50,
  cluster = { members = 3 },
  tolerance = "lossy",
  run = function(c)
    local cli = c:client()
    cli:put("k", "1")
    local backup = c:backup(choose(c:members()))
    local seen
    for i = 1, 20 do seen = cli:put("k", tostring(i)) or seen end
    local members = c:restore(backup, { bump_revision = 1000, mark_compacted = true })
    local new = c:client { endpoints = members }
    local revision = new:put("k", "new")
    expect(revision == backup.revision + 1001, "writes go on beyond the bump")
    expect(revision > seen, "and beyond what anybody has seen")
    local value, err = new:get("k", { rev = backup.revision })
    expect(value == false and err.code == "compacted", "older revisions are compacted")
    expect(new:get("k") == "new", "the newest is there")
  end,
}

scenario "a damaged, truncated or foreign backup is refused" {
  claims = { "backup.always" },
  seeds = 100,
  cluster = { members = 3 },
  tolerance = "lossy",
  run = function(c)
    local cli = c:client()
    for i = 1, 30 do cli:put("k" .. i, ("v"):rep(200)) end
    local backup = c:backup(choose(c:members()))
    local before = #c:members()
    local damaged, err = c:restore(backup:copy():flip(random(backup.size) - 1))
    expect(damaged == false, "one flipped bit is enough")
    expect(err.code == "backup is damaged" or err.code == "not a backup", "and is said")
    damaged, err = c:restore(backup:copy():truncate(random(backup.size) - 1))
    expect(damaged == false, "as is a missing end")
    expect(err.code == "backup is damaged" or err.code == "not a backup", "and is said")
    damaged, err = c:restore(choose { "", "hello", ("x"):rep(5000) })
    expect(damaged == false and err.code == "not a backup", "and what never was a backup")
    expect(#c:members() == before, "nothing was touched for it")
    expect(c:restore(backup), "the whole one restores")
  end,
}
