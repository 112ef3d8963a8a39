-- A question about a lease that was not confirmed in time was answered as if it had been,
-- by a leader that had not applied the lease's grant: it said that there is none. A
-- renewal would have been promised likewise by a leader that nobody follows.
scenario "lease: what is not confirmed in time is not answered" {
  tags = { "lease" }, seeds = 5,
  cluster = { members = 3 },
  run = function(c)
    local leader = c:await_leader { within = 10*s }
    local there = c:client { endpoints = { c:followers()[1] } }
    local here = c:client { endpoints = { leader }, timeout = 20*s }
    leader:slow(1e6, "apply")
    for i = 1, 5 do there:put("k" .. i, "v") end
    local lease = there:grant(30*s)
    local left, err = here:async("put", "k", "v", { lease = lease.id }), nil
    -- Asked of the leader by way of a member that it answers late.
    local ttl, why = lease:ttl()
    expect(ttl ~= nil or why, "nobody may say that there is no such lease")
    expect(ttl == false or ttl > 0, "it lives, or nobody knows")
  end,
}
