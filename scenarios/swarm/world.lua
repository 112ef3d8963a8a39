-- A world drawn from the seed: how many members, how fast, how patient, and which
-- faults exist in it at all. Everything is drawn, always, in the same order; then
-- `--param name=value` decides. So a pinned value moves none of the others.

local world = {}

-- Draw first, decide after.
local function draw(name, value) return param(name, value) end

-- Does this fault exist in this world?
local function exists(name, percent)
  return draw(name, random(100) <= percent)
end

-- A value where a fault exists, else `without`.
local function where(name, percent, values, without)
  local is_there, value = random(100) <= percent, choose(values)
  return draw(name, is_there and value or without)
end

local function cluster()
  local members = draw("members", choose { 1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7, 7, 8, 9 })
  local learners = draw("learners", random(100) <= 20 and random(2) or 0)
  local heartbeat = draw("heartbeat", choose { 10, 20, 50, 100, 100, 100, 200 } * ms)
  local patience = draw("patience", random(5, 15)) -- Election timeout in heartbeats.
  local spread = draw("spread", choose { 1, 1, 1, 2 })
  local election = heartbeat * patience
  -- One small message at a time carries less than the clients ask for.
  local inflight, message = choose { 1, 2, 16, 512, 512 }, choose { 1, 512, 64*KiB, 1*MiB, 1*MiB }
  inflight = draw("max_inflight", inflight)
  message = draw("max_message", inflight <= 2 and math.max(message, 64*KiB) or message)
  return {
    members = members,
    learners = learners,
    heartbeat = heartbeat,
    election = election,
    election_spread = election * spread,
    pre_vote = exists("pre_vote", 75),
    check_quorum = exists("check_quorum", 75),
    snapshot_entries = draw("snapshot_entries", choose { 10, 10, 20, 50, 100, 1000, 10000 }),
    catchup_entries = draw("catchup_entries", choose { 1, 5, 10, 50, 5000 }),
    max_inflight = inflight,
    max_message = message,
    segment = draw("segment", choose { 4*KiB, 64*KiB, 64*MiB }),
    lease_checkpoint = exists("lease_checkpoint", 30),
    progress_notify = 2*s,
    max_request = where("max_request", 20, { 8*KiB, 32*KiB }, 1536*KiB),
  }
end

-- Delays stay well below an election timeout, tails too, or there is nothing to demand: a
-- link keeps its order, so one late frame holds up all behind it.
local function latency(election)
  local kind = draw("latency", choose { "lan", "lan", "wan", "exponential", "lognormal", "pareto" })
  local unit = election / 200
  return kind == "lan" and { unit / 10, unit }
    or kind == "wan" and { unit * 2, unit * 6 }
    or kind == "exponential" and exponential(unit * 2)
    or kind == "lognormal" and lognormal(unit * 2, 0.8)
    or pareto(unit, 3)
end

local function network(members)
  local election = members.election
  local is_narrow, width = random(100) <= 15, choose { 1*MiB, 10*MiB }
  -- A heartbeat waits behind the largest message, or two pieces of a snapshot: that must not
  -- take an election.
  width = math.max(width, math.max(members.max_message, 128*KiB) * 20 // election)
  return {
    latency = latency(election),
    loss = where("loss", 40, { 0.0001, 0.001, 0.01, 0.05 }, 0),
    duplicate = where("duplicate", 40, { 0.001, 0.01, 0.1 }, 0),
    reorder = where("reorder", 40, { 0.001, 0.01, 0.1 }, 0),
    corrupt = where("corrupt", 30, { 0.0001, 0.001, 0.01 }, 0),
    bandwidth = draw("bandwidth", is_narrow and math.tointeger(width) or 0),
    queue = where("queue", 20, { 16, 64, 256 }, 4096),
    window = where("window", 20, { 1*KiB, 8*KiB }, 64*KiB),
  }
end

local function disk(election)
  local kind = draw("sync", choose { "fast", "usual", "usual", "slow", "exponential" })
  return {
    write = draw("write", choose { 0, 0, 100*us }),
    sync = kind == "fast" and constant(0)
      or kind == "usual" and { 0.5*ms, 3*ms }
      or kind == "slow" and { election / 100, election / 25 }
      or exponential(election / 100),
  }
end

-- What clients do all the while.
local function work(self)
  local mixes = {
    { put = 1, get = 1 },
    { put = 4, get = 2, delete = 1, range = 1 },
    { put = 2, get = 2, txn = 3 },
    { put = 2, get = 2, range = 1, delete = 1, txn = 1, watch = 1, lease = 1, lock = 1 },
  }
  -- Entries one by one, or again and again for what overtook them: Raft over such a
  -- network carries little, and what is offered beyond only piles up.
  local is_narrow = self.cluster.max_message <= 512 or self.network.reorder >= 0.1 or self.network.loss >= 0.05
  local rate = choose { 10, 30, 60, 100 }
  return {
    clients = draw("clients", random(8)),
    rate = draw("rate", is_narrow and 10 or rate),
    mix = mixes[draw("mix", random(#mixes))],
    keys = draw("keys", choose { 1, 3, 10, 50 }),
    pick = draw("pick", choose { "uniform", "uniform", "zipf", "hot" }),
    value = draw("value", choose { 1, 10, 64, 1000 }),
  }
end

-- Which of the faults that are done to machines this world has.
local kinds = {
  crash = 60, power_off = 50, pause = 50, stop = 30, partition = 50, isolate = 40, cut = 40, stall = 30,
  disk_stall = 30, slow = 30, skew = 20, move_leader = 30, compact = 40, storm = 30, client = 30, ruin = 25,
  membership = 25, joint = 20, replace = 25,
}

function world.draw(profile)
  local self = { kinds = {}, profile = profile }
  self.cluster = cluster()
  self.network = network(self.cluster)
  self.disk = disk(self.cluster.election)
  self.clock = { drift = where("drift", 50, { 10*ppm, 200*ppm, 1000*ppm }, 0) }
  self.work = work(self)
  self.leases = draw("leases", random(0, 3))
  self.locks = draw("locks", random(0, 3))
  self.watches = draw("watches", random(0, 2))
  for kind, percent in pairs(kinds) do -- In order of the alphabet.
    if exists(kind, percent) then self.kinds[#self.kinds + 1] = kind end
  end
  self.rounds = draw("rounds", random(1, 3))
  self.pace = draw("pace", random(1, 20) / 10) -- Seconds between two faults, about.
  return self
end

return world
