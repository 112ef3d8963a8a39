-- A watch tells every change in order, also across the crash of the member it was on.
scenario "example: a watch loses nothing" {
  tags = { "example" }, seeds = 20,
  cluster = { members = 3 },
  run = function(c)
    c:await_healthy { within = 10*s }
    local reader, writer = c:client(), c:client()
    local watch = reader:watch("k")
    spawn(function()
      for i = 1, 20 do
        eventually(function() return (writer:put("k", i)) end, { within = 20*s })
      end
    end)
    spawn(function()
      sleep(20*ms)
      local m = choose(c:members())
      m:crash()
      sleep(2*s)
      m:restart()
    end)
    local last = 0
    while last < 20 do
      local event = watch:next { within = 30*s }
      expect(event, "the watch goes on")
      expect(tonumber(event.value) >= last, "in order")
      last = tonumber(event.value)
    end
    watch:cancel()
  end,
}
