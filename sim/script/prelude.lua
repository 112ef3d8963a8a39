-- What is easier said in the language of scenarios itself. `native` is what the
-- world gives beside the globals; the answer is a table of methods.
-- SPDX-License-Identifier: Apache-2.0
local native = ...
local client, cluster = {}, {}

-- A scenario may give these names other meanings.
local choose, ipairs, now, random, shuffle, sleep = choose, ipairs, now, random, shuffle, sleep
local spawn, table, type, uniform = spawn, table, type, uniform
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
  local revision, err = native.lock(cli, name, lease, options.within)
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

-- What may well be granted a little later: etcd wants its members connected for five
-- seconds before it lets their number change.
local passing = { ["unhealthy cluster"] = true, ["no leader"] = true, ["too many requests"] = true }

-- Ask for changes, a letter of `kinds` for each of `members`: a(dd), l(earner), r(emove),
-- p(romote), d(emote). Joint: all in one change. What may have been made is asked for
-- longer: who was let in holds a seat in the quorum, and is to be started.
local function change(c, call, kinds, members, joint)
  local began, open = now(), false
  while true do
    local done, err = native.change(c, call, kinds, members, joint)
    if done then return true end
    -- What became of a call without an answer, the list of members tells.
    open = open or err.unknown
    if open and native.listed(c, call, kinds, members) then return true end
    if not (open or passing[err.code]) or now() - began >= (open and 120 or 10) then
      err.unknown = open
      return false, err
    end
    sleep(0.5)
  end
end

local idle = {} -- Machines of members that were not let in.

local function machine(c, call, on)
  if on == nil and #idle > 0 then return table.remove(idle) end
  return native.machine(c, call, on)
end

function cluster.add_member(c, options)
  local call = "c:add_member"
  local learner, start, within, on = native.check_add(c, options)
  local m = machine(c, call, on)
  local done, err = change(c, call, learner and "l" or "a", { m }, false)
  if not done then
    if on == nil and not err.unknown then idle[#idle + 1] = m end
    return false, err
  end
  if start then
    native.start(c, call, m)
    native.arrived(c, call, { m }, within)
  end
  return m
end

function cluster.promote(c, m)
  return change(c, "c:promote", "p", { m }, false)
end

function cluster.remove_member(c, m)
  return change(c, "c:remove_member", "r", { m }, false)
end

function cluster.change_members(c, options)
  local call = "c:change_members"
  local add, learners, start, within, remove, promote, demote = native.check_many(c, options)
  local fresh, members, kinds = {}, {}, ""
  for i = 1, add + learners do
    fresh[i] = machine(c, call, nil)
    members[i] = fresh[i]
    kinds = kinds .. (i <= add and "a" or "l")
  end
  for letter, list in pairs { r = remove, p = promote, d = demote } do
    for _, m in ipairs(list) do
      members[#members + 1] = m
      kinds = kinds .. letter
    end
  end
  if kinds == "" then return fresh end
  local done, err = change(c, call, kinds, members, true)
  if not done then
    for _, m in ipairs(err.unknown and {} or fresh) do idle[#idle + 1] = m end
    return false, err
  end
  if start and #fresh > 0 then
    for _, m in ipairs(fresh) do native.start(c, call, m) end
    native.arrived(c, call, fresh, within)
  end
  return fresh
end

function cluster.replace_member(c, member, options)
  if native.check_replace(options) then
    local fresh, err = c:change_members { add = 1, remove = { member } }
    if not fresh then return false, err end
    return fresh[1]
  end
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

-- One more member, one fewer, or a learner that becomes a voter: between three and
-- seven voters, as long as the world lets it.
function faults.member(c)
  local voters, learners = c:followers(), {}
  for _, m in ipairs(c:members()) do
    if m.role == "learner" then learners[#learners + 1] = m end
  end
  spawn(function()
    if #learners > 0 and random() < 0.5 then
      c:promote(choose(learners))
    elseif #voters >= 3 and (#voters >= 6 or random() < 0.5) then
      c:remove_member(choose(voters))
    else
      c:add_member { learner = random() < 0.3 }
    end
  end)
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
