-- A lease is kept alive by its client; when the client is gone, so is what hangs on it.
scenario "example: a key lives as long as its owner" {
  tags = { "example" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    local owner, other = c:client(), c:client()
    local lease = owner:grant(3*s)
    lease:auto(true)
    expect(owner:put("here", "yes", { lease = lease }))
    always(function() return other:get("here") == "yes" end, { during = 10*s, every = 500*ms })

    local gone = now()
    owner:pause()
    eventually(function() return other:get("here") == nil end, { within = 15*s })
    expect(now() - gone > 1*s, "not before what was left of its time")
    owner:resume()
  end,
}
