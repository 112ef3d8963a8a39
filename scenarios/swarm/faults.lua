-- What is done to a cluster, and an atlas of what it may cost. Processes may all die
-- and the network may fall apart, for what is durable stays: the promise is that
-- everything comes back once a majority can talk. A disk may be ruined for good only
-- on so many members that a majority of whole ones is left.

local faults = {}

local function live(c)
  local all = {}
  for _, m in ipairs(c:members()) do
    if m.alive and not m.paused then all[#all + 1] = m end
  end
  return all
end

-- Leaders are worth more than others.
local function victim(c)
  local leader, all = c:leader(), live(c)
  local wants_leader, any = random(3) == 1, #all > 0 and choose(all) or nil
  return wants_leader and leader or any
end

-- Each does something to a member or to all, and may answer what undoes it.
local kinds = {}

local stages = { "raft", "storage", "apply", "lessor", "reads" }

-- A member that does not trust its disk any more stays away, and so does one that was
-- taken out of the cluster.
local function comes_back(m)
  return m.exit == "crashed" or m.exit == "powered off" or m.exit ~= nil and m.exit:find("stopped", 1, true) == 1
end

local function restart(m)
  return function()
    if not m.alive and comes_back(m) then m:restart() end
  end
end

function kinds.crash(_, m)
  m:crash()
  return restart(m)
end

function kinds.power_off(_, m)
  m:power_off()
  return restart(m)
end

function kinds.stop(_, m)
  m:stop()
  return restart(m)
end

function kinds.pause(_, m)
  m:pause()
  return function() if m.paused then m:resume() end end
end

function kinds.partition(swarm)
  local c = swarm.c
  local order = shuffle(c:members())
  local size = random(1, math.max(1, #order - 1))
  local left, right = {}, {}
  for i, m in ipairs(order) do
    local side = i <= size and left or right
    side[#side + 1] = m
  end
  for _, cli in ipairs(swarm.clients) do -- Some stand on one side.
    local side = choose { left, right, {} }
    side[#side + 1] = cli
  end
  c:partition(left, right)
  return function() c:heal() end
end

function kinds.isolate(swarm, m)
  swarm.c:isolate(m)
  return function() swarm.c:heal() end
end

function kinds.cut(swarm)
  local c = swarm.c
  local ends = shuffle(c:members())
  if #ends > 1 then c:cut(ends[1], ends[2]) end
  return function() c:heal() end
end

function kinds.stall(_, m, length) m:stall { timer = length } end

function kinds.disk_stall(_, m, length) m:disk { stall = length } end

function kinds.slow(_, m)
  local stage = random(6) == 1 and "all" or choose(stages)
  local factor = choose { 3, 10, 100 }
  if stage == "all" then
    m:slow(factor)
    return function() m:slow(1) end
  end
  m:slow(factor, stage)
  return function() m:slow(1, stage) end
end

function kinds.skew(_, m) m:clock { jump = random(-100.0, 100.0) } end

function kinds.move_leader(swarm, m)
  if m.member_id then spawn(function() swarm.c:move_leader(m) end) end
end

function kinds.compact(swarm)
  spawn(function()
    local revision = choose(swarm.c:members()).revision
    if revision > 2 then swarm.c:client { timeout = 5*s }:compact(random(revision - 1)) end
  end)
end

-- The network is bad for everybody for a while.
function kinds.storm(swarm)
  local c = swarm.c
  local much = choose { 10, 50, 200 }
  local E = swarm.world.cluster.election
  c:network { latency = { 0, E / 200 * much }, loss = choose { 0, 0.1, 0.3 }, reorder = choose { 0, 0.5 } }
  return function() c:network(swarm.world.network) end
end

function kinds.client(swarm, _, length)
  local cli = #swarm.clients > 0 and choose(swarm.clients) or nil
  if not cli then return end
  local how = random(4)
  if how == 1 then
    cli:disconnect()
  elseif how == 2 and not swarm.paused[cli.id] then
    swarm.paused[cli.id] = true
    cli:pause()
    return function()
      swarm.paused[cli.id] = nil
      cli:resume()
    end
  elseif how == 3 then
    swarm.c:cut(cli, choose(swarm.c:members()))
    return function() swarm.c:heal() end
  else
    cli:clock { jump = length - 1*s }
  end
end

-- What an operator asks for: now, or of whoever becomes leader next and may have inherited
-- a change. Machines fail while it is on its way.
local function ask(swarm, action)
  if random(2) == 1 then
    swarm.waiting[#swarm.waiting + 1] = action
  else
    spawn(action)
  end
  if random(2) == 1 then
    sleep(random() * swarm.world.cluster.election / 50)
    faults.strike(swarm)
  end
end

-- Those that wait for a leader, or for better times.
function faults.answer(swarm)
  local waiting = swarm.waiting
  swarm.waiting = {}
  for _, action in ipairs(waiting) do spawn(action) end
end

-- One more member for a while: a learner first, or a voter at once. Operators do not wait
-- for each other. Who of the first ones is ruined leaves a majority of whole disks with
-- the newcomers, too.
function kinds.membership(swarm)
  if swarm.operators >= 3 or swarm.newcomers >= 8 then return end
  swarm.operators, swarm.newcomers = swarm.operators + 1, swarm.newcomers + 1
  local c, is_learner, leaves = swarm.c, random(2) == 1, random(3) > 1
  local m
  local function is_done() swarm.operators = swarm.operators - 1 end
  local function remove()
    c:remove_member(m)
    is_done()
  end
  local function stay()
    sleep(random(0.0, 3.0))
    if leaves then ask(swarm, remove) else is_done() end
  end
  local function promote()
    c:promote(m)
    stay()
  end
  local function add()
    m = c:add_member { learner = is_learner }
    if not m then return is_done() end
    sleep(random(0.0, 2.0))
    if is_learner then ask(swarm, promote) else stay() end
  end
  spawn(ask, swarm, add)
end

-- Several at once, through a joint configuration: some come, may change places, and may
-- leave together.
function kinds.joint(swarm)
  if swarm.operators >= 3 or swarm.newcomers >= 6 then return end
  local c, voters, learners = swarm.c, random(2), random(0, 1)
  swarm.operators, swarm.newcomers = swarm.operators + 1, swarm.newcomers + voters + learners
  local stays, swaps = random(3) == 1, random(2) == 1
  spawn(ask, swarm, function()
    local fresh = c:change_members { add = voters, learners = learners }
    if fresh then
      sleep(random(0.0, 3.0))
      if swaps and learners > 0 then
        c:change_members { promote = { fresh[voters + 1] }, demote = { fresh[1] } }
        sleep(random(0.0, 2.0))
      end
      if not stays then c:change_members { remove = fresh } end
    end
    swarm.operators = swarm.operators - 1
  end)
end

-- By the book: a member whose disk nobody need trust (the atlas names it) is taken out of
-- the cluster, its machine wiped once it knows or is past knowing, and added again at the
-- same address, as somebody else. A voter comes back as one, or a learner first; a learner
-- stays one, for the atlas counts voters.
function kinds.replace(swarm)
  local m = #swarm.doomed > 0 and choose(swarm.doomed) or nil
  if not m or not m.member_id or swarm.is_changing then return end
  swarm.is_changing = true
  spawn(function()
    local c = swarm.c
    local known = m.member_id
    local is_voter, learner = m.id <= swarm.world.cluster.members, random(3) == 1
    if not c:remove_member(m) then -- Or nobody knows: it may still come true, and later.
      swarm.is_changing = false
      return
    end
    while m.alive or comes_back(m) do sleep(0.5*s) end
    m:wipe()
    repeat
      if swarm.is_over then return end
      sleep(random(0.0, 2.0))
    until m.alive or c:add_member { on = m, learner = learner or not is_voter, within = 10*s }
    if learner and is_voter then c:promote(m) end
    sometimes("who was replaced came back as somebody else", m.member_id ~= known)
    swarm.is_changing = false
  end)
end

-- Something that a disk does not recover from; only those that the atlas names. All of it
-- is noticed. The last write that went astray before a crash is not, by anybody: that is
-- hazards/disk.lua.
function kinds.ruin(swarm)
  local m = #swarm.doomed > 0 and choose(swarm.doomed) or nil
  if not m then return end
  local how = random(4)
  if how == 1 then
    m:disk { error = { sync = 0.05, write = 0.01, read = 0.01 } }
  elseif how == 2 then
    m:disk { full = m.disk_used + random(10000) }
  elseif how == 3 then -- Under its feet, now or when it next stands for election.
    local function rot() if not swarm.is_over then m:disk { rot = random(3) } end end
    local when_it = choose { "role:candidate", "role:pre-candidate" }
    if random(3) == 1 then rot() else at(when_it, { member = m, nth = 1 }, rot) end
  else
    if m.alive then m:crash() end
    m:disk { rot = random(3) }
    return restart(m)
  end
end

local needs_victim = {
  crash = true, power_off = true, stop = true, pause = true, isolate = true, stall = true, disk_stall = true,
  slow = true, skew = true, move_leader = true,
}

-- One fault of a kind that this world has, undone after a while.
function faults.strike(swarm)
  if #swarm.world.kinds == 0 then return end
  local kind, length = choose(swarm.world.kinds), random(1, 50) / 10
  if kind == "stall" or kind == "disk_stall" then -- Nobody can end these.
    length = math.min(length, 10 * swarm.world.cluster.election)
  end
  local m = victim(swarm.c)
  if needs_victim[kind] and not m then return end
  local undo = kinds[kind](swarm, m, length)
  if undo then
    local round = swarm.round
    spawn(function()
      sleep(length)
      if swarm.round == round then undo() end -- Else the quiet window has done it.
    end)
  end
end

-- Whom it is done to; `doomed` are those whose disks may be ruined.
function faults.begin(c, world, doomed)
  local swarm = {
    c = c, world = world, doomed = doomed,
    clients = {}, paused = {},               -- Clients, and which of them are paused, by number.
    round = 0,                               -- Quiet windows so far.
    operators = 0, newcomers = 0, waiting = {}, -- At work, added so far, and what is to be asked for.
  }
  at("role:leader", { every = 1 }, function() faults.answer(swarm) end)
  return swarm
end

-- Everything is well again, but for what is ruined.
function faults.heal(swarm)
  local c = swarm.c
  swarm.round = swarm.round + 1
  c:heal()
  faults.answer(swarm)
  c:network(swarm.world.network)
  for _, cli in ipairs(swarm.clients) do
    if swarm.paused[cli.id] then cli:resume() end
  end
  swarm.paused = {}
  for _, m in ipairs(c:members()) do
    if m.paused then m:resume() end
    if not m.alive then restart(m)() end
    m:slow(1)
    for _, stage in ipairs(stages) do m:slow(1, stage) end
  end
end

return faults
