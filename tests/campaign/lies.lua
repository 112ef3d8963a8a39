-- A disk that answers before anything is durable breaks the promise of its member, which
-- a judge sees on a core without a bug: something to shrink.
local rate = param("rate", 40)

scenario "three disks lie" {
  cluster = { members = 5, snapshot_entries = 100 },
  network = { loss = 0.01 },
  run = function(c)
    local cli = c:client { timeout = 3*s }
    c:await_leader { within = 10*s }
    local liars = shuffle(c:members())
    for i = 1, 3 do liars[i]:disk { lie = true } end
    local lease = cli:grant(20)
    for i = 1, 10 do
      cli:put("key" .. i, "value", { lease = lease })
      sleep(random() * 0.1)
    end
    c:load { clients = 2, rate = rate, mix = { put = 1, get = 1 } }
    at("before:sync Entry", { member = c:leader(), nth = 5 }, function(m) m:power_off() end)
    sleep(2*s)
    for i = 1, 3 do if liars[i].alive then liars[i]:power_off() end end
    sleep(1*s)
    for i = 1, 3 do liars[i]:restart() end
    sleep(5*s)
  end,
}

scenario "nobody lies" {
  cluster = { members = 1 },
  run = function(c) c:await_leader { within = 10*s } end,
}
