-- What is easier said in the language of scenarios itself. `native` is what the
-- world gives beside the globals; the answer is a table of methods.
-- SPDX-License-Identifier: Apache-2.0
local native = ...
local client, cluster = {}, {}

-- A scenario may give these names other meanings.
local choose, ipairs, now, random, shuffle, sleep = choose, ipairs, now, random, shuffle, sleep
local spawn, type, uniform = spawn, type, uniform
local hex, max, number_type = string.format, math.max, math.type

-- The client itself waits for the lock (core/client/lock.c); what is left here is the
-- lease, when the scenario gave none.
function client.lock(cli, name, options)
  options = native.check(name, options)
  local lease = options.lease
  if not lease then
    local granted, err = cli:grant(60)
    if not granted then return false, err end
    granted:auto(true)
    lease = granted
  end
  local revision, err = native.lock(cli, name, lease)
  if revision and not native.hold(cli, name, lease, revision) then
    revision, err = false, native.failure("lease not found")
  end
  if not revision then
    if not options.lease then lease:auto(false) end
    return false, err
  end
  local id = number_type(lease) and lease or lease.id
  return { key = name .. hex("/%x", id), name = name, revision = revision, lease = lease, owns_lease = not options.lease }
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
