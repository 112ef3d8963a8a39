-- Why a failed bootstrap wants a new token: "remove the data directories on all
-- members and re-bootstrap the cluster with a new cluster-token". Half of it, a wipe
-- of some directories under the old token, brings back members that have forgotten
-- what they voted for and what they acknowledged, and that nobody can tell from
-- those they were: name, token and list of members give the same ids.

scenario "hazard: the old token after a partial wipe" {
  claims = { "bootstrap.hazard" },
  tags = { "bootstrap", "amnesia" },
  seeds = 20,
  cluster = { members = 3, start = "none" },
  -- Two votes in one term, two leaders in one, two entries in one place, appended or
  -- committed, or a leader without what was committed: which comes first is a matter of
  -- chance. None passes unseen.
  shows = { "vote", "election", "completeness", "log-matching", "state-machine" },
  run = function(c)
    c:bootstrap { only = { 1, 2 } }
    c:await_leader { within = 10*s }
    local cli = c:client { endpoints = { 1, 2 } }
    expect(cli:put("k", "acknowledged"), "two of three serve")
    for i = 1, 2 do c[i]:crash() end
    c[2]:wipe()
    -- Two of three again; only the one that is down knows of the write.
    c:start(2)
    c:start(3)
    c:await_leader { within = 10*s }
    local value = c:client { endpoints = { 2, 3 }, timeout = 5*s }:get("k")
    expect(value == "acknowledged", "a quorum remembers")
  end,
}

-- The same with a new token is another cluster, and the old member is refused: what
-- was acknowledged before is not there, but nobody takes the one for the other.
scenario "no hazard: a new token after a partial wipe" {
  claims = { "bootstrap.hazard", "bootstrap.anew" },
  tags = { "bootstrap" },
  seeds = 20,
  cluster = { members = 3, start = "none" },
  tolerance = "lossy",
  run = function(c)
    c:bootstrap { only = { 1, 2 }, token = "first" }
    c:await_leader { within = 10*s }
    local old = c[1].cluster_id
    expect(c:client { endpoints = { 1, 2 } }:put("k", "acknowledged"), "two of three serve")
    for i = 1, 2 do c[i]:crash() end
    c[2]:wipe()
    c:bootstrap { only = { 2, 3 }, token = "second" }
    c:await_leader { within = 10*s }
    expect(c:client { endpoints = { 2, 3 } }:put("k", "anew"), "the new cluster serves")
    c[1]:restart()
    sleep(10*s)
    expect(c[1].cluster_id == old and c[1].role ~= "leader", "the old member leads nobody")
    expect(c[2].cluster_id == c[3].cluster_id and c[2].cluster_id ~= old, "two clusters, not one")
    expect(c:client { endpoints = { 2, 3 } }:get("k") == "anew", "and they do not mix")
    c[1]:crash()
    c[1]:wipe()
    c:bootstrap { only = { 1 }, token = "second" }
    c:await_healthy { within = 20*s }
  end,
}

-- A member serves once the cluster has heard its name; what it says at first may be lost.
scenario "a member whose first words are lost serves in the end" {
  tags = { "bootstrap", "network" }, seeds = 10,
  cluster = { members = 3 },
  run = function(c)
    for i = 1, 2 do c:cut(c[3], c[i]) end
    c:await_leader { within = 20*s }
    sleep(random(1.0, 5.0))
    c:heal()
    local there = c:client { endpoints = { c[3] }, timeout = 2*s }
    eventually(function() return (there:put("a", "1")) end, { within = 30*s, every = 200*ms })
  end,
}
