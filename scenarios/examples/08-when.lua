-- when() watches all members and acts when something becomes true of one of them.
scenario "example: whoever leads is paused at once" {
  tags = { "example" }, seeds = 20,
  cluster = { members = 5 },
  run = function(c)
    local struck = 0
    when(function(m) return m.role == "leader" end, function(m)
      struck = struck + 1
      if struck <= 3 then
        m:pause() -- Callbacks may not wait; what they spawn may.
        spawn(function()
          sleep(3*s)
          m:resume()
        end)
      end
    end)
    eventually(function() return struck >= 4 end, { within = 60*s })
    c:await_healthy { within = 30*s }
  end,
}
