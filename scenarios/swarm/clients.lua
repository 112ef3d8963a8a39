-- Who uses the cluster while it is broken: a load of all kinds, and clients that hold
-- leases, take locks and follow every change.

local clients = {}

-- A lease, kept alive for a while, with a key on it.
local function hold_leases(swarm, cli, number)
  while not swarm.is_over do
    local lease = cli:grant(random(2, 6))
    if lease then
      cli:put("leased/" .. number, "x", { lease = lease })
      lease:auto(random(2) == 1)
      sleep(random(0.5, 8.0))
      lease:auto(false)
      if random(2) == 1 then lease:revoke() end
    end
    sleep(500*ms)
  end
end

-- Mutual exclusion with a fencing token, as etcd's own recipe does it.
local function hold_locks(swarm, cli)
  while not swarm.is_over do
    local lease = cli:grant(random(2, 5))
    local lock = lease and cli:lock("lock", { lease = lease, within = 10*s })
    if lock then
      sleep(random(0.0, 1.0))
      cli:unlock(lock)
    end
    if lease then lease:revoke() end
    sleep(random(0.1, 1.0))
  end
end

local function follow(swarm, cli)
  while not swarm.is_over do
    local watch, last = cli:watch("", { ["end"] = "\0", fragment = true, progress = true }), 0
    local until_ = now() + random(1.0, 10.0)
    while now() < until_ and not swarm.is_over do
      local event, err = watch:next { within = 500*ms }
      if event then
        expect(event.mod_revision >= last, "revisions of a watch do not go back")
        last = event.mod_revision
      elseif err and err.code ~= "timeout" then
        break -- What it was to go on from is compacted.
      end
    end
    watch:cancel()
    sleep(10*ms)
  end
end

-- Without keepalive, a connection whose other end lost its power would be waited for
-- for ever.
local function client(swarm)
  local cli = swarm.c:client { timeout = 3*s, keepalive = { every = 1*s, timeout = 1*s } }
  swarm.clients[#swarm.clients + 1] = cli
  return cli
end

-- Put them all to work; they end once `swarm.is_over`.
function clients.employ(swarm)
  local c = swarm.c
  c:load(swarm.world.work)
  for i = 1, swarm.world.leases do
    spawn(hold_leases, swarm, client(swarm), i)
  end
  for _ = 1, swarm.world.locks do
    spawn(hold_locks, swarm, client(swarm))
  end
  for _ = 1, swarm.world.watches do
    spawn(follow, swarm, client(swarm))
  end
end

return clients
