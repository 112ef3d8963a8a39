-- Beyond what is promised: majorities that stay away, disks ruined on as many members
-- as you like, clocks that stand still, a network that never heals. Nobody can ask for
-- progress then; what was said and done must be right all the same.

local worlds = require "world"
local clients = require "clients"
local faults = require "faults"

local world = worlds.draw()

scenario "swarm: beyond what is promised, still safe" {
  tags = { "swarm", "beyond" }, seeds = 500, limit = 10*min,
  tolerance = "exceeded",
  cluster = world.cluster, network = world.network, disk = world.disk, clock = world.clock,
  run = function(c)
    -- Any disk may go; what goes is detected, so that safety is not at stake.
    local swarm = faults.begin(c, world, c:members())
    clients.employ(swarm)
    for _ = 1, world.rounds do
      local stop = now() + random(3.0, 15.0)
      while now() < stop do
        sleep(world.pace * random() * 2)
        faults.strike(swarm)
        if random(4) == 1 then swarm.round = swarm.round + 1 end -- What is under way stays.
      end
      if random(2) == 1 then faults.heal(swarm) end
    end
    swarm.is_over = true
    faults.heal(swarm)
  end,
}
