-- Faults at random, from the scenario's own seeded stream; the seed brings them back.
-- `--param` pins what was drawn: faultline run 10-random.lua --param members=7
local members = param("members", choose { 3, 5, 7 })

scenario "example: a nemesis for a minute" {
  tags = { "example", "nemesis" }, seeds = 20,
  cluster = { members = members },
  run = function(c)
    c:load { clients = 4, rate = 50 }
    c:nemesis {
      kinds = { "crash", "power_off", "pause", "partition", "clock" },
      every = exponential(2*s), heal_after = uniform(0.1, 3), during = 60*s,
    }
    sleep(60*s)
    record("term", math.max(c[1].term, c[2].term, c[3].term))
  end,
}
