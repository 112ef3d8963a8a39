-- Who was cut off comes back: Ongaro 2014, sections 4.2.3 and 9.6. A follower that hears
-- nothing for k election timeouts stands for election again and again; its term is about
-- k / 1.5 higher when it returns, and plain Raft changes its leader for it, once. With
-- PreVote nothing happens at all.

-- Between two changes of the term lies a timeout of E to 2 E; one more is for the election
-- that follows.
local expected = {
  { where = { prevote = "on" }, stat = "max", of = "changes", max = 0 },
  { where = { prevote = "on" }, stat = "max", of = "terms", max = 0 },
  { where = { prevote = "off" }, stat = "min", of = "changes", min = 1 },
  { where = { prevote = "off" }, stat = "median", of = "changes", near = 1, within = 0, published = true },
}
for _, timeouts in ipairs { 10, 20, 40 } do
  expected[#expected + 1] = {
    where = { prevote = "off", timeouts = timeouts }, stat = "mean", of = "terms", near = timeouts / 1.5 + 0.5,
    within = 0.1, published = true,
  }
end

experiment "a follower comes back, by what it does meanwhile" {
  source = "Ongaro 2014, sections 4.2.3 and 9.6",
  tags = { "election" },
  grid = { prevote = { "off", "on" }, timeouts = { 5, 10, 20, 40 } },
  trials = 200,
  cluster = function(p)
    local is_on = p.prevote == "on"
    return { members = 5, tick = 10*ms, heartbeat = 100*ms, election = 1*s, pre_vote = is_on, check_quorum = is_on }
  end,
  run = function(c, p)
    c:await_healthy { within = 30*s }
    local leader, changes = c:leader(), 0
    local away, before = choose(c:followers()), leader.term
    c:isolate(away)
    sleep(p.timeouts * 1*s)
    at("role:leader", { every = 1 }, function() changes = changes + 1 end)
    c:heal()
    sleep(10*s)
    local after = c:await_leader { within = 10*s }
    record("changes", changes)
    record("terms", after.term - before)
  end,
  figure = { kind = "line", x = "timeouts", y = "mean of terms", by = "prevote" },
  expect = expected,
}
