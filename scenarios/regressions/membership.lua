-- Who joins is needed for the quorum at once. The newest snapshot is from before it was
-- a member and does not name it, the log begins after that one, and nothing more can be
-- committed without it: the leader must have a newer snapshot for it.
scenario "membership: the second member joins behind a snapshot" {
  tags = { "membership", "snapshot" }, seeds = 20,
  cluster = { members = 1, snapshot_entries = 10, catchup_entries = 2 },
  run = function(c)
    local cli = c:client()
    for i = 1, 25 + random(10) do expect(cli:put("k" .. i, "v"), "one serves alone") end
    local two = c:add_member { within = 30*s }
    expect(two, "the second is taken in")
    eventually(function() return two.applied >= c:leader().commit end, { within = 10*s })
    expect(c:client():put("k", "both"), "and both serve")
  end,
}
