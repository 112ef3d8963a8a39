-- A question about a lease that was not confirmed in time was answered as if it had been,
-- by a leader that had not applied the lease's grant: it said that there is none. A
-- renewal would have been promised likewise by a leader that nobody follows.
scenario "lease: what is not confirmed in time is not answered" {
  tags = { "lease" }, seeds = 5,
  cluster = { members = 3 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local other = c:followers()[1]
    local cli = c:client { endpoints = { leader, other }, timeout = 30*s }
    c:cut(cli, leader)
    c:cut(leader, cli)
    leader:slow(1e6, "apply")
    for i = 1, 10 do cli:put("k" .. i, "v") end
    sleep(6*s) -- It has begun with these, and comes to nothing else for long.
    local lease = cli:grant(60*s) -- By the other member.
    expect(lease, "granted")
    c:heal()
    sleep(3*s)
    other:crash() -- From now on only the leader can be asked.
    local ttl = lease:ttl()
    expect(ttl ~= nil, "nobody may say that there is no such lease")
    expect(ttl == false or ttl > 0, "it lives, or nobody knows")
  end,
}
