-- Elections from fresh timers: Ongaro, "Consensus: Bridging Theory and Practice" (Stanford,
-- 2014), chapter 9. All servers that are alive start their timers at the same moment with
-- equal logs; messages take the same time each; nothing else takes any. The leader that
-- is lost is one of those that are down.
--
-- P(split) of a first term is exact: with l the one-way time as a fraction of the range of
-- timeouts, s servers alive of n and c = s - n//2 + 1, it is the sum over k from c - 1 to s
-- of C(s,k) l^k (1-l)^(s-k). The earliest of s timeouts lies at 1/(s+1) of the range.

local T = 100*ms -- The range of timeouts, behind as long a time that is sure.
local rounds = param("rounds", 50)

-- Elections one after the other. All followers hear the same heartbeat at the same moment,
-- their timers begin, and the leader is gone, `down - 1` of them with it.
local function elections(c, down, latency, count, each)
  local first, armed
  at("role:candidate", { every = 1 }, function() first = first or now() end)
  at("after:receive MsgHeartbeat", { every = 1 }, function()
    if not armed then return end
    armed()
    armed = nil
  end)
  for _ = 1, count do
    c:network { latency = constant(0) }
    c:await_healthy { within = 1*min }
    sleep(3 * T) -- What the leader has appended reaches everybody, and one more heartbeat.
    local leader, began = c:leader(), nil
    local before, lost = leader.term, shuffle(c:followers())
    armed = function()
      began, first = now(), nil
      leader:crash()
      for i = 1, down - 1 do lost[i]:crash() end
      c:network { latency = latency }
    end
    eventually(function() return began end, { within = 1*min, every = 1*ms })
    local new = c:await_leader { other_than = leader, within = 10*min }
    each(now() - began, new.term - before, first - began)
    for _, m in ipairs(c:members()) do
      if not m.alive then m:restart() end
    end
  end
end

local function cluster(members, base, range)
  return {
    members = members, tick = 100*us, election = base, election_spread = range, heartbeat = base / 5,
    pre_vote = false, check_quorum = false,
  }
end

local instant = { write = 0, sync = 0 }
local no_time = { message = 0, entry = 0, request = 0 }

-- "n/f": members, and how many of them are down.
local sizes = { "3/1", "5/1", "5/2", "7/1", "7/2", "7/3", "9/1", "9/2", "9/3", "9/4" }

local function parse(size)
  local n, f = size:match("(%d)/(%d)")
  return tonumber(n), tonumber(f)
end

local function choose_of(n, k)
  local ways = 1
  for i = 1, k do ways = ways * (n - k + i) / i end
  return ways
end

local function split_probability(n, s, l)
  local p = 0
  for k = s - n // 2, s do p = p + choose_of(s, k) * l^k * (1 - l)^(s - k) end
  return p
end

local trials, latencies = 100, { 0.05, 0.1, 0.2, 0.3 }
local expected = {}
for _, size in ipairs(sizes) do
  local n, f = parse(size)
  local s = n - f
  for _, l in ipairs(latencies) do
    local p = split_probability(n, s, l)
    local slack = 4 * math.sqrt(p * (1 - p) / (trials * rounds)) -- Four standard errors.
    expected[#expected + 1] = {
      where = { size = size, latency = l }, stat = "mean", of = "split", near = p, within = slack / p,
      published = true,
    }
  end
  expected[#expected + 1] = {
    where = { size = size, latency = 0.05 }, stat = "mean", of = "earliest", near = 1 / (s + 1), within = 0.06,
    published = true,
  }
end

experiment "split votes, by latency" {
  source = "Ongaro 2014, section 9.2, figure \"distance\"; section 9.1, figure \"earliesttimeout\"",
  tags = { "election" },
  grid = { size = sizes, latency = latencies },
  trials = trials,
  limit = 1*hour,
  cluster = function(p) return cluster(parse(p.size), T, T) end,
  disk = instant,
  cpu = no_time,
  run = function(c, p)
    local _, down = parse(p.size)
    elections(c, down, constant(p.latency * T), rounds, function(_, terms, first)
      record("split", terms > 1 and 1 or 0)
      record("earliest", (first - T) / T)
    end)
  end,
  figure = { kind = "line", x = "latency", y = "mean of split", by = "size" },
  expect = expected,
}

-- The wide area: 30 to 40 ms one way, timeouts of 300 to 600 ms.
local wide = {
  [1] = { mean = 468.6*ms, median = 423*ms, p90 = 563*ms, p99 = 1007*ms },
  [2] = { mean = 630.4*ms, median = 469*ms, p90 = 1074*ms, p99 = 1933*ms },
}
local tolerance = { mean = 0.015, median = 0.01, p90 = 0.04, p99 = 0.06 }
local short = "a reference model without fitted constants is short with two down as well; the cause is not known"
local of_wide = {}
for down, row in pairs(wide) do
  for stat, value in pairs(row) do
    of_wide[#of_wide + 1] = {
      where = { down = down }, stat = stat, of = "election", near = value, within = tolerance[stat],
      published = true, parts = down == 2 and stat ~= "p99" and short or nil,
    }
  end
end

experiment "elections across a wide area" {
  source = "Ongaro 2014, section 9.4, figure \"multi-submission-failures\"",
  tags = { "election" },
  grid = { down = { 1, 2 } },
  trials = 200,
  limit = 1*hour,
  cluster = function() return cluster(5, 300*ms, 300*ms) end,
  disk = instant,
  cpu = no_time,
  run = function(c, p)
    elections(c, p.down, { 30*ms, 40*ms }, rounds, function(took) record("election", took) end)
  end,
  figure = { kind = "cdf", x = "election", by = "down", log_x = true },
  expect = of_wide,
}
