-- "A cluster bootstrap is only successful if all required members successfully start.
-- If any failure happens during bootstrapping, remove the data directories on all
-- members and re-bootstrap the cluster with a new cluster-token or new discovery
-- token." Of a static bootstrap the sentence is stricter than etcd is: a quorum
-- serves, and who comes late completes it (etcd-behaviour §4.2, S26).

scenario "a member is missing: the quorum serves, the late one completes it" {
  claims = { "bootstrap.all" },
  seeds = 20,
  cluster = { members = 3, start = "none" },
  run = function(c)
    local late = random(3)
    local first = {}
    for i = 1, 3 do
      if i ~= late then first[#first + 1] = i end
    end
    c:bootstrap { only = first }
    local t = now()
    c:await_leader { within = 10*s }
    local cli = c:client { endpoints = first }
    expect(cli:put("k", "1"), "two of three are enough to serve")
    record("serving_after", now() - t)
    sleep(random() * 10*s)
    c:start(c[late])
    eventually(function() return c[late].applied >= c:leader().commit end, { within = 10*s })
    expect(c[late].cluster_id == c:leader().cluster_id, "one cluster")
    expect(c:client { endpoints = { late } }:get("k") == "1", "and it serves what the others hold")
  end,
}

scenario "a quorum is missing: nobody serves, nothing is lost by waiting" {
  claims = { "bootstrap.all" },
  seeds = 20,
  cluster = { members = 5, start = "none" },
  run = function(c)
    local order = shuffle { 1, 2, 3, 4, 5 }
    c:bootstrap { only = { order[1], order[2] } }
    sleep(choose { 5*s, 30*s })
    expect(c:leader() == nil, "two of five elect nobody")
    local cli = c:client { endpoints = { order[1], order[2] }, timeout = 5*s }
    expect(cli:put("k", "1") == false, "nor do they answer")
    expect(c[order[1]].alive and c[order[2]].alive, "they wait")
    local t = now()
    c:start(c[order[3]])
    c:await_leader { within = 10*s }
    record("elected_after_third", now() - t)
    expect(c:client { endpoints = { order[1], order[2], order[3] } }:put("k", "2"), "the third makes a quorum")
    c:start(c[order[4]])
    c:start(c[order[5]])
    c:await_healthy { within = 10*s }
  end,
}

-- After a failed bootstrap: wipe all, new token. Every id is new, so whoever was
-- forgotten with its old directory is refused and does no harm.
scenario "wipe all and start anew with a new token" {
  claims = { "bootstrap.anew" },
  seeds = 20,
  cluster = { members = 3, start = "none", token = "first" },
  run = function(c)
    c:bootstrap { only = choose { { 1 }, { 1, 2 } } }
    sleep(3*s + random() * 5*s)
    local old = c[1].cluster_id
    local stale = choose { true, false } and c[2].alive
    for i = 1, 3 do
      if c[i].alive and not (stale and i == 2) then
        c[i]:crash()
        c[i]:wipe()
      end
    end
    if stale then
      -- One was forgotten and runs on with its old directory and token.
      c:bootstrap { token = "second", only = { 1, 3 } }
    else
      c:bootstrap { token = "second" }
    end
    c:await_leader { within = 10*s }
    local cli = c:client { endpoints = stale and { 1, 3 } or { 1, 2, 3 } }
    expect(cli:put("k", "1"), "the new cluster serves")
    eventually(function() return c[1].cluster_id ~= old end, { within = 10*s })
    if stale then
      local before = c[2].commit
      sleep(5*s)
      expect(c[2].cluster_id == old and c[2].role ~= "leader", "who was forgotten belongs to nobody's cluster")
      expect(c[2].commit == before, "and does no harm")
      c[2]:crash()
      c[2]:wipe()
      c:bootstrap { token = "second", only = { 2 } }
      eventually(function() return c[2].applied >= c:leader().commit end, { within = 10*s })
    end
  end,
}

-- Another token, or another list of members, is another cluster: refused on every
-- message, on both sides, for ever.
scenario "a member with another token is refused" {
  claims = { "bootstrap.anew" },
  seeds = 20,
  cluster = { members = 3, start = "none" },
  run = function(c)
    c:bootstrap { member = { [3] = { token = "elsewhere" } } }
    c:await_leader { within = 10*s }
    sleep(5*s)
    expect(c[3].alive, "it is up")
    expect(c[3].leader == nil, "but has no leader")
    expect(c[3].commit <= 3, "and nothing of the others' log")
    expect(c[3].cluster_id ~= c[1].cluster_id, "for it is of another cluster")
    expect(c:client { endpoints = { 1, 2 } }:put("k", "1"), "the two serve without it")
  end,
}

-- The same members, and one that was told of a fourth: its peers know it by id and
-- address, and still it is of another cluster.
scenario "a member with another list of peers is refused" {
  claims = { "bootstrap.anew", "bootstrap.all" },
  seeds = 50,
  cluster = { members = 3, start = "none" },
  run = function(c)
    local m = choose(c:members())
    c:bootstrap { member = { [m.id] = { peers = { 1, 2, 3, "m4" } } } }
    local others = {}
    for _, other in ipairs(c:members()) do
      if other ~= m then others[#others + 1] = other end
    end
    expect(c:client { endpoints = others }:put("k", "1"), "the two serve")
    sleep(10*s)
    expect(m.alive and m.leader == nil, "it is up, and follows nobody")
    expect(m.commit <= 4 and m.cluster_id ~= others[1].cluster_id, "for it is of another cluster")
  end,
}
