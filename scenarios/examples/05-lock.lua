-- A lock is a key under a lease; its revision is a token that grows with every holder.
scenario "example: a lock goes from hand to hand" {
  tags = { "example" }, seeds = 10,
  cluster = { members = 3 },
  run = function(c)
    local holders, tokens = 0, {}
    for _ = 1, 4 do
      spawn(function()
        local cli = c:client()
        local lock = cli:lock("the lock")
        holders = holders + 1
        expect(holders == 1, "one at a time")
        tokens[#tokens + 1] = lock.revision
        sleep(200*ms)
        holders = holders - 1
        cli:unlock(lock)
      end)
    end
    eventually(function() return #tokens == 4 end, { within = 30*s })
    for i = 2, 4 do expect(tokens[i] > tokens[i - 1], "tokens grow") end
  end,
}
