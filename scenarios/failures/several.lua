-- "The cluster can be subject to several failures at once": machines, power and
-- network, together and one after another. What was acknowledged is there after all of
-- it, and as long as the disks are whole nobody has to help.

local common = require "common"

for _, n in ipairs { 3, 5, 7 } do
  -- Everybody at once, and the disks lose what was not synced.
  scenario("all members lose power and return one by one, n=" .. n) {
    claims = { "several.at-once", "majority.recovers" },
    measures = { ["several.at-once"] = { "recovery_time" }, ["majority.recovers"] = { "recovery_time" } },
    seeds = 100,
    cluster = { members = n },
    run = function(c)
      c:await_leader { within = 10*s }
      for round = 1, 2 do
        local l = common.load(c)
        sleep(500*ms + random() * 1*s)
        for _, m in ipairs(shuffle(c:members())) do
          m:power_off()
          if random(2) == 1 then sleep(random() * 5*ms) end
        end
        l:stop()
        sleep(random() * 2*s)
        local order, at_q = shuffle(c:members()), nil
        for i, m in ipairs(order) do
          m:restart()
          if i == n // 2 + 1 then at_q = now() end
          sleep(random() * 1*s)
        end
        c:await_leader { within = 60*s }
        record("recovery_time", now() - at_q)
      end
    end,
  }

  -- Whatever comes, whenever: machines, power, hangs, cuts, slow disks, at once.
  scenario("anything at any time, n=" .. n) {
    claims = { "several.at-once", "partition.shapes" },
    measures = { ["several.at-once"] = { "served", "recovery_time" }, ["partition.shapes"] = {} },
    note = "while more has failed than the cluster tolerates it does not serve; it never lies, and it recovers by itself",
    seeds = 100,
    cluster = { members = n, snapshot_entries = 500, catchup_entries = 200 },
    run = function(c)
      c:await_leader { within = 10*s }
      local l = common.load(c)
      c:nemesis {
        kinds = { "crash", "power_off", "pause", "partition", "isolate", "cut", "stall", "disk", "slow" },
        every = exponential(1*s),
        heal_after = uniform(0.1, 4),
        during = 30*s,
      }
      sleep(30*s)
      record("served", l.ok / l.offered)
      l:stop()
      sleep(5*s) -- the last faults heal
      for _, m in ipairs(c:members()) do
        if m.paused then m:resume() elseif not m.alive then m:restart() end
        m:slow(1)
      end
      c:heal()
      local t = now()
      c:await_healthy { within = 60*s }
      record("recovery_time", now() - t)
    end,
  }
end
