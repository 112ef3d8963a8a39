-- What a majority is worth. Members fail after an exponential time and come back after
-- another, each for itself: with p the share of time that one is up, a majority of n is up
-- for the share A(p) = sum over k > n/2 of C(n,k) p^k (1-p)^(n-k) of the time. On top of
-- that come elections: a leader fails as often as anybody else, and for about one and a
-- half election timeouts there is none.

local up, down = 1000*s, 100*s -- Means.
local horizon = param("horizon", 20000*s)
local E = 1*s

local function choose_of(n, k)
  local ways = 1
  for i = 1, k do ways = ways * (n - k + i) / i end
  return ways
end

local function unavailability(n)
  local p, share = up / (up + down), 1
  for k = n // 2 + 1, n do share = share - choose_of(n, k) * p^k * (1 - p)^(n - k) end
  return share
end

local expected = {}
for _, n in ipairs { 1, 3, 5 } do
  -- The leader's part: E + E/(m+1) and a little for its detection and the vote.
  local elections = n > 1 and (E + E / n + 0.1*s) / up or 0
  expected[#expected + 1] = {
    where = { members = n }, stat = "mean", of = "unavailable", near = unavailability(n) + elections, within = 0.15,
  }
end

local function wait(mean) sleep(-math.log(1 - random()) * mean) end

local function live_on(m, state)
  while true do
    wait(up)
    if state.is_over then return end
    m:crash()
    wait(down)
    m:restart()
  end
end

experiment "time without a majority or a leader, by cluster size" {
  source = "the binomial distribution; exact, but for elections",
  tags = { "availability" },
  grid = { members = { 1, 3, 5 } },
  trials = 60,
  limit = 48*hour,
  cluster = function(p) return { members = p.members, heartbeat = 100*ms, election = E } end,
  run = function(c, p)
    c:await_healthy { within = 30*s }
    local state = { is_over = false }
    for _, m in ipairs(c:members()) do spawn(live_on, m, state) end
    local asked, without = 0, 0
    while now() < horizon do
      sleep(random() * 2*s)
      local alive = 0
      for _, m in ipairs(c:members()) do alive = alive + (m.alive and 1 or 0) end
      asked = asked + 1
      if not c:leader() or alive <= p.members // 2 then without = without + 1 end
    end
    state.is_over = true
    record("unavailable", without / asked)
  end,
  figure = { kind = "line", x = "members", y = "mean of unavailable", log_y = true },
  expect = expected,
}
