-- Everything at once, within what is promised: each seed draws its world (world.lua),
-- breaks it for a while (faults.lua), lets it rest, and asks for a leader and an
-- answer before it breaks it again. In the end all must have converged.

local worlds = require "world"
local clients = require "clients"
local faults = require "faults"

local world = worlds.draw()

-- A majority of whole disks is left, whatever happens to the others, learners among them.
local function doomed(c)
  local members = {}
  for i = 1, world.cluster.members do members[i] = c[i] end
  shuffle(members)
  local spare = (world.cluster.members - 1) // 2
  local list = {}
  for i = 1, random(0, spare) do list[i] = members[i] end
  for i = 1, world.cluster.learners do
    if random(2) == 1 then list[#list + 1] = c[world.cluster.members + i] end
  end
  return list
end

-- Whole again: a majority has a leader, and somebody is answered.
local function rest(swarm, cli)
  for _ = 1, 3 do -- Who is about to leave gracefully is only gone a little later.
    faults.heal(swarm)
    sleep(world.cluster.election)
  end
  -- Who was struck in the middle of its bootstrap asks its peers first, a second each.
  swarm.c:await_leader { within = 30 * world.cluster.election + 30*s }
  eventually(function() return (cli:put("rest", "x")) end, { within = 30*s, every = 100*ms })
  sleep(random(0.1, 2.0))
end

-- A campaign in which one of these had no part has not tried what it says.
local armed = {
  "election", "vote", "persisted", "append-only", "log-matching", "completeness", "state-machine", "monotone",
  "commit", "store", "history", "durability", "lease", "lock", "watch", "bootstrap", "progress", "expect",
  "crash", "power off", "stop", "pause", "timer stall", "disk stall", "disk fault", "bit rot", "slow processor",
  "clock", "wipe", "cut", "loss", "duplicate", "reorder", "corrupt", "cut off", "queue full",
}

scenario "swarm: everything at once, within what is promised" {
  tags = { "swarm" }, seeds = 1000, limit = 10*min, arms = armed,
  cluster = world.cluster, network = world.network, disk = world.disk, clock = world.clock,
  run = function(c)
    local swarm = faults.begin(c, world, doomed(c))
    local prober = c:client { timeout = 2*s }
    clients.employ(swarm)
    for _ = 1, world.rounds do
      local stop = now() + random(3.0, 15.0)
      while now() < stop do
        sleep(world.pace * random() * 2)
        faults.strike(swarm)
      end
      rest(swarm, prober)
    end
    swarm.is_over = true
    sometimes("somebody was elected in the middle of it", c:leader() and c:leader().term > 3)
  end,
}
