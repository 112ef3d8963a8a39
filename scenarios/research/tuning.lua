-- etcd's documentation on tuning (v3.6): heartbeats about as far apart as a round trip
-- takes, election timeouts at least ten round trips. What happens below that: leaders that
-- are alive are deposed, the more often the more the network jitters and loses.

local rtt = 100*ms

experiment "needless elections, by election timeout in round trips" {
  source = "etcd's documentation, tuning: \"at least 10 times the round trip time\"; the figures are ours",
  tags = { "election", "tuning" },
  grid = { trips = { 2, 3, 4, 5, 6, 8, 10, 15, 20 }, jitter = { 0.1, 0.5, 1 }, loss = { 0, 0.05 } },
  trials = 20,
  limit = 2*hour,
  cluster = function(p)
    return { members = 5, heartbeat = rtt, tick = 10*ms, election = p.trips * rtt }
  end,
  network = function(p) return { latency = lognormal(rtt / 2, p.jitter), loss = p.loss } end,
  run = function(c, _)
    c:await_leader { within = 1*min }
    local changes = 0
    at("role:leader", { every = 1 }, function() changes = changes + 1 end)
    sleep(10*min)
    record("changes", changes * 6) -- An hour.
  end,
  figure = { kind = "line", x = "trips", y = "mean of changes", by = "jitter", log_y = true },
  expect = {
    { where = { trips = 10, jitter = 0.1, loss = 0 }, stat = "max", of = "changes", max = 0 },
    { where = { trips = 10, jitter = 0.5, loss = 0 }, stat = "max", of = "changes", max = 0 },
    { where = { trips = 20, jitter = 1, loss = 0.05 }, stat = "mean", of = "changes", max = 6 },
    { where = { trips = 2, jitter = 1, loss = 0.05 }, stat = "mean", of = "changes", min = 60 },
    { where = { trips = 3, jitter = 1, loss = 0.05 }, stat = "mean", of = "changes", min = 10 },
  },
}
