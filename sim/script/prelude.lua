-- What is easier said in the language of scenarios itself. `native` is what the
-- world gives beside the globals; the answer is a table of methods.
-- SPDX-License-Identifier: Apache-2.0
local native = ...
local client, cluster = {}, {}

-- A scenario may give these names other meanings.
local choose, ipairs, now, random, shuffle, sleep = choose, ipairs, now, random, shuffle, sleep
local spawn, type, uniform = spawn, type, uniform
local hex, max, number_type = string.format, math.max, math.type

-- etcd's mutex: every candidate puts a key under the lock's name, bound to its
-- lease; the lock is with whoever's key was created first, the others wait for the
-- deletion of the key right before theirs.
function client.lock(cli, name, options)
  options = native.check(name, options)
  local lease = options.lease
  if not lease then
    local granted, err = cli:grant(60)
    if not granted then return false, err end
    granted:auto(true)
    lease = granted
  end
  local id = number_type(lease) and lease or lease.id
  local prefix = name .. "/"
  local stop = name .. "0" -- The byte after "/".
  local key = prefix .. hex("%x", id)

  local done, err = cli:txn {
    compare = { { key, "create", "=", 0 } },
    success = { { "put", key, "", { lease = lease } } },
  }
  if not done then return false, err end
  local mine, holders
  while true do
    holders, err = cli:range(prefix, stop, { sort = "create" })
    if not holders then return false, err end
    mine = nil
    local before
    for _, holder in ipairs(holders) do
      if holder.key == key then mine = holder end
      if not mine then before = holder end
    end
    if not mine then return false, native.failure("lease not found") end
    if holders[1].key == key then break end
    local watch = cli:watch(before.key, { rev = holders.revision + 1 })
    repeat
      local event, failure = watch:next()
      if not event then
        if failure.code == "compacted" then break end
        return false, failure
      end
    until event.type == "delete"
    watch:cancel()
  end
  native.hold(cli, name, lease)
  return { key = key, name = name, revision = mine.create_revision, lease = lease, owns_lease = not options.lease }
end

function client.unlock(cli, lock)
  if type(lock) ~= "table" or type(lock.key) ~= "string" or type(lock.name) ~= "string" then
    native.wrong("cli:unlock(lock)", lock, "what cli:lock returned")
  end
  native.release(cli, lock.name)
  local revision, err = cli:delete(lock.key)
  if not revision then return false, err end
  if lock.owns_lease then lock.lease:revoke() end
  return true
end

function cluster.replace_member(c, member)
  local gone, err = c:remove_member(member)
  if not gone then return false, err end
  return c:add_member {}
end

local faults = {}

local function victim(c)
  local live = {}
  for _, m in ipairs(c:members()) do
    if m.alive and not m.paused then live[#live + 1] = m end
  end
  return #live > 0 and choose(live) or nil
end

function faults.crash(c)
  local m = victim(c)
  if m then
    m:crash()
    return function() if not m.alive then m:restart() end end
  end
end

function faults.power_off(c)
  local m = victim(c)
  if m then
    m:power_off()
    return function() if not m.alive then m:restart() end end
  end
end

function faults.pause(c)
  local m = victim(c)
  if m then
    m:pause()
    return function() if m.paused then m:resume() end end
  end
end

function faults.partition(c)
  local order = shuffle(c:members())
  local size = random(1, max(1, #order - 1))
  local left, right = {}, {}
  for i, m in ipairs(order) do
    local side = i <= size and left or right
    side[#side + 1] = m
  end
  c:partition(left, right)
  return function() c:heal() end
end

function faults.isolate(c)
  c:isolate(choose(c:members()))
  return function() c:heal() end
end

function faults.cut(c)
  local order = shuffle(c:members())
  if order[2] then
    c:cut(order[1], order[2])
    return function() c:heal() end
  end
end

function faults.stall(c, length)
  local m = victim(c)
  if m then m:stall { timer = length } end
end

function faults.disk(c, length)
  local m = victim(c)
  if m then m:disk { stall = length } end
end

function faults.slow(c)
  local m = victim(c)
  if m then
    m:slow(random(2, 100))
    return function() if m.alive then m:slow(1) end end
  end
end

function faults.clock(c)
  local m = choose(c:members())
  m:clock { jump = random(-10.0, 10.0) }
end

function cluster.nemesis(c, options)
  local kinds = native.check_nemesis(options, faults)
  local stop = now() + options.during
  spawn(function()
    while true do
      sleep(native.draw(options.every or uniform(1, 10)))
      if now() >= stop then return end
      local length = native.draw(options.heal_after or uniform(0.1, 5))
      local heal = faults[choose(kinds)](c, length)
      if heal then
        spawn(function()
          sleep(length)
          heal()
        end)
      end
    end
  end)
end

return client, cluster
