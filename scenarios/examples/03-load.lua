-- A load calls all the time; record() makes metrics of what is measured, and expect =
-- judges them over all seeds.
scenario "example: how long an election interrupts writers" {
  tags = { "example" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_healthy { within = 10*s }
    local load = c:load { clients = 8, rate = 200, mix = { put = 1, get = 1 } }
    sleep(2*s)
    local began = now()
    local old = c:leader()
    old:power_off()
    c:await_leader { other_than = old, within = 10*s }
    record("election", now() - began)
    sleep(2*s)
    load:stop()
    record("answered", load.ok / load.offered)
    record("latency p99", load:latency(0.99))
  end,
  expect = {
    { stat = "max", of = "election", max = 6 },
    { stat = "min", of = "answered", min = 0.3 },
  },
}
