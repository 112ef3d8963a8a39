-- etcd's own list of functional failures, which it injects into every release: what is
-- done, to whom, and for how long; each with a load that includes leases, and each
-- followed by etcd's check that leases expire when they should and not before.

local common = require "common"
local E = common.E

-- What is done to a member, and how it is undone.
local failures = {
  ["stop"] = {
    inject = function(c, m) m:crash() end,
    recover = function(c, m) m:restart() end,
  },
  -- Frames to and from peers vanish; connections do not notice.
  ["black-hole"] = {
    inject = function(c, m) c:isolate(m) end,
    recover = function(c) c:heal() end,
  },
  -- etcd's own figures: five seconds, give or take half of one.
  ["delay"] = { latency = { 4.5*s, 5.5*s } },
  ["random delay"] = { latency = exponential(500*ms) },
}

local function set_latency(c, m, latency)
  for _, other in ipairs(c:members()) do
    if other ~= m then
      c:link(m, other, { latency = latency })
      c:link(other, m, { latency = latency })
    end
  end
end

for _, failure in pairs(failures) do
  if failure.latency then
    failure.inject = function(c, m) set_latency(c, m, failure.latency) end
    failure.recover = function(c, m) set_latency(c, m, { 0.5*ms, 2*ms }) end
  end
end

-- To whom it is done.
local targets = {
  ["one follower"] = function(c) return { choose(c:followers()) } end,
  ["leader"] = function(c) return { c:leader() } end,
  ["quorum"] = function(c)
    local all, some = shuffle(c:members()), {}
    for i = 1, #all // 2 + 1 do some[i] = all[i] end
    return some
  end,
  ["all"] = function(c) return c:members() end,
}

-- Long enough for many elections; or until the leader has dropped what the failed
-- members would need of its log.
local lengths = {
  ["plain"] = function(c) sleep(3*s + random() * 5*s) end,
  ["until a snapshot is needed"] = function(c, failed)
    local begun = 0 -- Who has stood still since then needs one; who is only slow, perhaps none.
    for _, m in ipairs(failed) do begun = math.max(begun, m.commit) end
    eventually(function()
      local leader = c:leader()
      return leader and leader.commit >= begun + 400
    end, { within = 2*min, every = 100*ms })
  end,
}

-- etcd's LEASE_EXPIRE check: of three kinds of leases, what is left at the end?
local function grant_leases(c, cli)
  local kinds = { long = cli:grant(2*min), short = cli:grant(4*s), revoked = cli:grant(2*min) }
  for name, lease in pairs(kinds) do expect(lease and cli:put(name, "held", { lease = lease })) end
  expect(kinds.revoked:revoke())
  return kinds
end

local function check_leases(c, cli, kinds, granted)
  expect(cli:get("revoked") == nil, "what was revoked remains so")
  eventually(function() return cli:get("short") == nil end, { within = 4*s + 3*E + 30*s, every = 50*ms })
  record("short_lease_lasted", now() - granted)
  expect(now() - granted >= 4*s, "none goes before its time")
  expect(cli:get("long") == "held", "and a long one is still there")
  expect(kinds.long:revoke() and cli:get("long") == nil, "until it is revoked")
end

for _, failure in ipairs { "stop", "black-hole", "delay", "random delay" } do
  for _, target in ipairs { "one follower", "leader", "quorum", "all" } do
    for _, length in ipairs { "plain", "until a snapshot is needed" } do
      -- Without a quorum nothing is written that a snapshot would be needed for.
      local is_possible = length == "plain" or target == "one follower" or target == "leader"
      local is_minor = target == "one follower" and length == "plain"
      if is_possible then
        local claim = is_minor and "minority.progress" or target == "leader" and "leader.elected" or "several.at-once"
        scenario("functional: " .. failure .. ", " .. target .. ", " .. length) {
          claims = { claim },
          measures = { [claim] = { "healthy_after" } },
          tags = { "functional" },
          seeds = 20,
          cluster = { members = 3, snapshot_entries = 200, catchup_entries = 100 },
          run = function(c)
            c:await_leader { within = 10*s }
            local l = common.load(c)
            local cli = c:client { keepalive = { every = 500*ms, timeout = 500*ms } }
            local granted = now()
            local kinds = grant_leases(c, cli)
            sleep(random() * 2*s)
            local failed, snapshots = targets[target](c), 0
            at("receive MsgSnap", {}, function() snapshots = snapshots + 1 end)
            for _, m in ipairs(failed) do failures[failure].inject(c, m) end
            lengths[length](c, failed)
            for _, m in ipairs(failed) do failures[failure].recover(c, m) end
            local t = now()
            c:await_healthy { within = 60*s }
            record("healthy_after", now() - t)
            check_leases(c, cli, kinds, granted)
            sometimes("a snapshot was needed", length == "plain" or failures[failure].latency or snapshots > 0)
            c:await_converged { within = 30*s }
          end,
        }
      end
    end
  end
end

-- Stopped, and the disk replaced: the member is taken out of the cluster, and comes back
-- as a new one.
for _, target in ipairs { "one follower", "leader" } do
  for _, length in ipairs { "plain", "until a snapshot is needed" } do
    local claim = target == "leader" and "leader.elected" or "minority.progress"
    scenario("functional: stop and wipe, " .. target .. ", " .. length) {
      claims = { claim },
      measures = { [claim] = { "healthy_after" } },
      tags = { "functional" },
      seeds = 20,
      cluster = { members = 3, snapshot_entries = 200, catchup_entries = 100 },
      run = function(c)
        c:await_leader { within = 10*s }
        common.load(c)
        local cli = c:client { keepalive = { every = 500*ms, timeout = 500*ms } }
        local granted = now()
        local kinds = grant_leases(c, cli)
        sleep(random() * 2*s)
        local failed = targets[target](c)[1]
        failed:crash()
        sleep(100*ms) -- what it had promised arrives before anybody has changed a disk
        failed:wipe()
        c:await_leader { within = 60*s }
        expect(c:remove_member(failed), "two of three can let the third go")
        lengths[length](c, { failed })
        local t = now()
        expect(c:add_member { on = failed }, "and take it in again, as another")
        c:await_healthy { within = 60*s }
        record("healthy_after", now() - t)
        check_leases(c, cli, kinds, granted)
        c:await_converged { within = 30*s }
      end,
    }
  end
end

-- Stopped, and the disks replaced: with a quorum of them gone the operator restores what
-- was backed up (S17b); leases come back with their whole TTL.
for _, target in ipairs { "quorum", "all" } do
  scenario("functional: stop and wipe, " .. target) {
    claims = { "majority.disaster" },
    measures = { ["majority.disaster"] = { "healthy_after" } },
    tags = { "functional" },
    seeds = 20,
    tolerance = "lossy",
    cluster = { members = 3 },
    run = function(c)
      c:await_leader { within = 10*s }
      local l = common.load(c)
      local cli = c:client { keepalive = { every = 500*ms, timeout = 500*ms } }
      local kinds = grant_leases(c, cli)
      sleep(random() * 2*s)
      l:stop()
      local backup = c:backup(c:leader())
      for _, m in ipairs(targets[target](c)) do
        m:crash()
        m:wipe()
      end
      lengths["plain"](c)
      expect(c:leader() == nil, "without a quorum nobody leads")
      for _, m in ipairs(c:members()) do
        if m.alive then m:crash() end
      end
      local t, promoted = now(), nil
      at("promote", {}, function() promoted = now() end)
      c:restore(backup, { members = { 1, 2, 3 } })
      c:await_healthy { within = 60*s }
      record("healthy_after", now() - t)
      local anew = c:client()
      expect(anew:get("revoked") == nil, "what was revoked remains so")
      eventually(function() return anew:get("short") == nil end, { within = 1*min, every = 50*ms })
      expect(now() - promoted >= 4*s + E, "the others come back with their whole TTL")
      expect(anew:get("long") == "held", "and a long one is still there")
      c:await_converged { within = 30*s }
    end,
  }
end
