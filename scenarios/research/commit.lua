-- How long a write takes. Without disks it is the time until a majority has answered: the
-- (n//2)-th fastest of the n - 1 followers, an order statistic with a closed form. And
-- Guo et al., "LeaseGuard" (SIGMOD 2026): with a lease a write costs one round trip and
-- the disk, a read at the leader none at all.

-- Links to and from the leader, one way each; a client beside it.
local function connect(c, to, from)
  local leader = c:await_leader { within = 24*hour }
  for _, m in ipairs(c:followers()) do
    c:link(leader, m, { latency = to })
    c:link(m, leader, { latency = from })
  end
  return c:client { endpoints = { leader } }
end

local distributions = {
  exponential = exponential(1*s),
  uniform = uniform(0, 1*s),
}

local means = {
  exponential = { [3] = 0.5, [5] = 0.5833, [7] = 0.6167, [9] = 0.6345 },
  uniform = { [3] = 1 / 3, [5] = 0.4, [7] = 0.4286, [9] = 0.4444 },
}

local expected = {}
for trips, by_size in pairs(means) do
  for members, mean in pairs(by_size) do
    expected[#expected + 1] = {
      where = { trips = trips, members = members }, stat = "mean", of = "commit", near = mean, within = 0.01,
      published = true,
    }
  end
end

experiment "a write waits for a majority, by cluster size" {
  source = "the mean of an order statistic; exact",
  tags = { "latency" },
  grid = { trips = { "exponential", "uniform" }, members = { 3, 5, 7, 9 } },
  trials = 500,
  limit = 1000*hour,
  cluster = function(p) return { members = p.members, heartbeat = 2000*s, election = 20000*s } end,
  network = { latency = constant(0) },
  disk = { write = 0, sync = 0 },
  cpu = { message = 0, entry = 0, request = 0 },
  run = function(c, p)
    local cli = connect(c, constant(0), distributions[p.trips])
    for _ = 1, 200 do
      sleep(20*s) -- The slowest answer is in, so that nobody waits behind it.
      local began = now()
      if cli:put("k", "v") then record("commit", now() - began) end
    end
  end,
  figure = { kind = "line", x = "members", y = "mean of commit", by = "trips" },
  expect = expected,
}

local published = { 2.26, 4.27, 6.26, 8.29, 10.27 }
local of_leases = {}
for i, write in ipairs(published) do
  of_leases[#of_leases + 1] = {
    where = { oneway = i }, stat = "p90", of = "write", near = write*ms, within = 0.03, published = true,
  }
end
of_leases[#of_leases + 1] = { stat = "max", of = "read", near = 0, within = 0, published = true }

experiment "a lease answers reads without a round trip" {
  source = "Guo et al., SIGMOD 2026, figure of latency by network latency (lease and inconsistent)",
  tags = { "latency" },
  grid = { oneway = { 1, 2, 3, 4, 5 } },
  trials = 50,
  cluster = { members = 3, read = "lease", heartbeat = 500*ms, election = 5*s },
  network = { latency = constant(0) },
  disk = { write = 0, sync = constant(250*us) },
  cpu = { message = 0, entry = 0, request = 0 },
  run = function(c, p)
    -- Mean and variance in us are the same number there: hardly a spread at all.
    local mean = p.oneway * 1000
    local oneway = lognormal(mean*us, 1 / math.sqrt(mean))
    local cli = connect(c, oneway, oneway)
    sleep(6*s)
    for _ = 1, 100 do
      local began = now()
      if cli:put("k", "v") then record("write", now() - began) end
      began = now()
      if cli:get("k") then record("read", now() - began) end
      sleep(20*ms)
    end
  end,
  figure = { kind = "line", x = "oneway", y = "p90 of write" },
  expect = of_leases,
}
